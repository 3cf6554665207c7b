// A notebook as it was left: texts, code, and what the code had put out. Nothing of it is run, and what could run in
// a page (HTML, widgets, scripts) is left out and said.

import { element, lazy } from "./dom.js";
import { plural } from "./format.js";
import { parseLine } from "./run-log-line.js";
import { LogStore } from "./run-log-store.js";
import { dress } from "./run-log-style.js";

const CELLS_AT_ONCE = 200;
const MOST_LINES = 2000;
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

// `folder` is where the notebook lies and `root` the asset that its pictures must be part of, both from the owner on.
export async function showNotebook(container, notebook, { name = "notebook", openAddress = null, folder = "", root = "", user = "" } = {}) {
  const problem = whyNot(notebook);
  const box = element("article", { class: "tw-notebook", "aria-label": name });
  container.replaceChildren(box);
  if (problem) {
    box.append(element("p", { class: "tw-quiet" }, problem, " ", opener(openAddress)));
    return;
  }
  const { renderMarkdown } = await lazy(() => import("./markdown.js"));
  const { colourCode } = await lazy(() => import("./notebook-code.js"));
  const language = notebook.metadata?.language_info?.name ?? notebook.metadata?.kernelspec?.language ?? "python";
  const tools = { openAddress, code: (text) => colourCode(text, language), markdown: (text) => renderMarkdown(text, { folder, root, me: user }) };
  show(box, notebook.cells, 0, tools);
}

function whyNot(notebook) {
  if (notebook === null || typeof notebook !== "object" || !Number.isInteger(notebook.nbformat)) return "This is not a notebook.";
  if (notebook.nbformat !== 4 || !Array.isArray(notebook.cells)) return `This notebook has an older format (${notebook.nbformat}); JupyterLab can open it.`;
  return notebook.cells.length ? "" : "This notebook is empty.";
}

function opener(address) {
  return address ? element("a", { href: address, target: "_blank", rel: "noopener" }, "Open it in JupyterLab") : null;
}

function show(box, cells, from, tools) {
  box.append(...cells.slice(from, from + CELLS_AT_ONCE).map((cell) => cellOf(cell, tools)));
  const left = cells.length - from - CELLS_AT_ONCE;
  if (left <= 0) return;
  const more = element("button", { class: "btn btn-link", type: "button" }, `Show ${plural(Math.min(left, CELLS_AT_ONCE), "more cell")}`);
  more.addEventListener("click", () => {
    more.remove();
    show(box, cells, from + CELLS_AT_ONCE, tools);
  });
  box.append(more);
}

const joined = (source) => (Array.isArray(source) ? source.filter((part) => typeof part === "string").join("") : typeof source === "string" ? source : "");

function cellOf(cell, tools) {
  const text = joined(cell?.source);
  if (cell?.cell_type === "markdown") return element("section", { class: "tw-cell" }, tools.markdown(text));
  if (cell?.cell_type !== "code") return element("section", { class: "tw-cell" }, element("pre", { class: "tw-cell-code" }, text));
  const count = Number.isInteger(cell.execution_count) ? cell.execution_count : " ";
  const outputs = Array.isArray(cell.outputs) ? cell.outputs.map((output) => outputOf(output, tools)).filter(Boolean) : [];
  return element("section", { class: "tw-cell tw-cell-runs" },
    element("span", { class: "tw-cell-count", "aria-hidden": "true" }, `[${count}]`),
    element("pre", { class: "tw-cell-code", tabindex: "0", "aria-label": "Code" }, tools.code(text)),
    outputs.length ? element("div", { class: "tw-cell-outputs" }, ...outputs) : null);
}

function outputOf(output, tools) {
  if (output?.output_type === "stream") return coloured(joined(output.text), output.name === "stderr" ? "tw-cell-stderr" : "");
  if (output?.output_type === "error") return coloured(traceback(output), "tw-cell-error");
  return output?.data && typeof output.data === "object" ? shown(output.data, tools) : null;
}

function traceback({ traceback: lines, ename, evalue }) {
  const text = Array.isArray(lines) ? lines.filter((line) => typeof line === "string").join("\n") : "";
  return text || `${joined(ename)}: ${joined(evalue)}`;
}

// The richest form that is only seen and never run.
function shown(data, tools) {
  const kind = PICTURES.find((type) => typeof data[type] === "string" || Array.isArray(data[type]));
  const words = joined(data["text/plain"]);
  if (kind) return picture(`data:${kind};base64,${joined(data[kind]).replace(/\s/g, "")}`, words);
  if (data["image/svg+xml"]) return picture(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(joined(data["image/svg+xml"]))}`, words);
  if (data["text/markdown"]) return tools.markdown(joined(data["text/markdown"]));
  if (data["application/json"] !== undefined && !words) return coloured(JSON.stringify(data["application/json"], null, 2) ?? "");
  const active = Object.keys(data).some((type) => type === "text/html" || type === "application/javascript" || type.startsWith("application/vnd."));
  const left = active ? element("p", { class: "tw-quiet" }, words ? "Shown as text here. " : "This output is a page of its own and is not shown here. ", opener(tools.openAddress)) : null;
  const plain = words || joined(data["text/latex"]);
  return plain || left ? element("div", {}, plain ? coloured(plain) : null, left) : null;
}

function picture(address, words) {
  const image = element("img", { class: "tw-cell-picture", src: address, alt: words && !words.startsWith("<") ? words.slice(0, 200) : "Picture that the code made", loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(element("p", { class: "tw-quiet" }, "The browser cannot show this picture.")));
  return image;
}

// Text with the colours that a program gave it for a terminal.
export function coloured(text, kind = "") {
  const store = new LogStore();
  store.append(new TextEncoder().encode(text));
  const box = element("pre", { class: `tw-cell-text ${kind}`.trim(), tabindex: "0" });
  const count = Math.min(store.lineCount, MOST_LINES);
  for (let line = 0; line < count; line += 1) {
    const parsed = parseLine(store.lineBytes(line), store.styleOf(line));
    for (const { from, to, style } of parsed.spans) {
      const part = element("span", {}, parsed.text.slice(from, to));
      dress(part, style);
      box.append(part);
    }
    if (line + 1 < count) box.append("\n");
  }
  if (count < store.lineCount) box.append(element("span", { class: "tw-quiet" }, `\n… ${plural(store.lineCount - count, "more line")}`));
  return box;
}
