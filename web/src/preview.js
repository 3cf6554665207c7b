// What is in a file, as far as a page can show it without running any of it. Each kind is loaded when it is needed.

import { filesAddress } from "./assets.js";
import { element, lazy } from "./dom.js";
import { endingOf, formatSize, parentPath } from "./format.js";
import { me } from "./here.js";
import { assetRoot } from "./links.js";

const IMAGES = new Set(["png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "ico", "avif"]);
const LARGEST_TREE = 200_000;

// Give the preview of an asset as an element, or null when there is nothing to see.
export async function preview(asset, ref) {
  const ending = endingOf(asset.name);
  if (asset.fmu) return (await lazy(() => import("./preview-fmu.js"))).previewFmu(asset, ref);
  if (asset.table?.columns.length) return (await lazy(() => import("./preview-table.js"))).previewTable(asset, ref);
  if (asset.kind === "FILE" && IMAGES.has(ending)) return image(asset, ref);
  if (asset.text) return text(asset, ending, ref);
  if (asset.kind === "FOLDER") return null;
  return element("p", { class: "tw-quiet" }, `No preview for this kind of file (${asset.mediaType}). Download it, or open it in the workspace.`);
}

function image({ path, name }, ref) {
  const shown = element("img", { class: "tw-picture", src: filesAddress(path, { inline: true, ref }), alt: name });
  shown.addEventListener("error", () => shown.replaceWith(element("p", { class: "tw-quiet" }, "The browser cannot show this picture.")));
  return shown;
}

async function text(asset, ending, ref) {
  const { text: content, truncated } = asset.text;
  const cut = truncated ? element("p", { class: "tw-quiet" }, `Only the beginning is shown; the file has ${formatSize(asset.size)}.`) : null;
  if (ending === "md") return element("div", {}, cut, await markdownOf(content, asset, ref));
  if ((ending === "json" || ending === "geojson") && !truncated && content.length <= LARGEST_TREE) {
    try {
      return (await lazy(() => import("./preview-json.js"))).previewJson(JSON.parse(content));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return element("div", {}, element("p", { class: "text-danger" }, `This is not valid JSON: ${error.message}`), await plain(content, asset.name));
    }
  }
  return element("div", {}, cut, await plain(content, asset.name));
}

async function plain(content, name) {
  const box = element("div", { class: "tw-code-box" });
  const { openCode } = await lazy(() => import("./code.js"));
  openCode(box, { text: content, name, label: `Text of ${name}`, editable: false });
  return box;
}

export async function markdownOf(content, { path, kind }, ref) {
  const isFolder = kind === "FOLDER";
  const { renderMarkdown } = await lazy(() => import("./markdown.js"));
  return renderMarkdown(content, { folder: isFolder ? path : parentPath(path), root: assetRoot(path, isFolder), me, ref });
}
