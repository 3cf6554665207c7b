// Markdown as people see it. What somebody wrote never becomes code here: HTML in it is shown as text,
// and what the parser makes is taken over element by element, those on the lists below only.

import MarkdownIt from "markdown-it";
import { addressOf } from "./address.js";
import { filesAddress } from "./assets.js";
import { element } from "./dom.js";
import { resolveLink } from "./links.js";

const TAGS = new Set("a blockquote br code em h1 h2 h3 h4 h5 h6 hr img li ol p pre s strong table tbody td th thead tr ul".split(" "));
const parser = new MarkdownIt({ html: false, linkify: true });

// Give the text as elements; `folder` is where the text lies, `root` the asset that its pictures must be part of.
export function renderMarkdown(text, { folder, root, me, ref = "" }) {
  const body = text.replace(/^---\r?\n[\s\S]*?\r?\n---\r?\n/, "");
  const parsed = new DOMParser().parseFromString(htmlOf(body), "text/html").body;
  const box = element("div", { class: "tw-markdown" });
  copyInto(box, parsed, { folder, root, me, ref });
  return box;
}

// Columns are aligned by a style attribute, which the content security policy refuses; so the word travels otherwise.
function htmlOf(text) {
  const tokens = parser.parse(text, {});
  for (const token of tokens) {
    const style = token.attrGet?.("style");
    if (style) token.attrs = [["align", style.replace("text-align:", "")]];
  }
  return parser.renderer.render(tokens, parser.options, {});
}

function copyInto(target, source, place) {
  for (const node of source.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) target.append(node.data);
    else if (node.nodeType === Node.ELEMENT_NODE) target.append(copy(node, place));
  }
}

function copy(node, place) {
  const tag = node.localName;
  if (!TAGS.has(tag)) return node.textContent;
  if (tag === "img") return picture(node, place);
  const made = /^h\d$/.test(tag) ? heading(Number(tag[1])) : document.createElement(tag);
  if (tag === "a") link(made, node.getAttribute("href") ?? "", place);
  if (tag === "ol" && node.hasAttribute("start")) made.setAttribute("start", node.getAttribute("start"));
  if (["left", "center", "right"].includes(node.getAttribute("align"))) made.style.textAlign = node.getAttribute("align");
  copyInto(made, node, place);
  return tag === "table" ? element("div", { class: "tw-scroll", tabindex: "0" }, made) : made;
}

// Headings of a text stand below those of the page, and look as their author meant them.
function heading(level) {
  return element(`h${Math.min(6, level + 3)}`, { class: `tw-heading-${level}` });
}

function picture(node, { folder, root, ref }) {
  const found = resolveLink(node.getAttribute("src") ?? "", folder);
  const alt = node.getAttribute("alt") ?? "";
  if (found.kind !== "path" || !(found.path === root || found.path.startsWith(`${root}/`))) return element("span", { class: "tw-quiet" }, `[picture from elsewhere: ${alt}]`);
  return element("img", { src: filesAddress(found.path, { inline: true, ref }), alt, loading: "lazy" });
}

function link(made, href, { folder, me, ref }) {
  const found = resolveLink(href, folder);
  if (found.kind === "path") {
    made.href = addressOf(found.path, me, { ref });
    made.dataset.go = "";
  } else if (found.kind === "web") {
    made.href = found.address;
    made.target = "_blank";
    made.rel = "noopener noreferrer";
  }
}
