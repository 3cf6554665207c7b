// JSON as a tree that opens where it is pressed; what is closed costs nothing.

import { button, element } from "./dom.js";

const AT_ONCE = 200;

export function previewJson(value) {
  return element("div", { class: "tw-tree" }, node("", value, 0));
}

function node(key, value, depth) {
  const label = key === "" ? null : element("span", { class: "tw-tree-key" }, `${key}: `);
  if (value === null || typeof value !== "object") return element("div", { class: "tw-tree-leaf" }, label, leaf(value));
  const entries = Object.entries(value);
  const many = Array.isArray(value) ? `[ ${entries.length} ]` : `{ ${entries.length} }`;
  const box = element("details", {}, element("summary", {}, label, element("span", { class: "tw-quiet" }, many)));
  let filled = 0;
  const fill = () => {
    box.querySelector(":scope > .btn")?.remove();
    box.append(...entries.slice(filled, filled + AT_ONCE).map(([name, child]) => node(name, child, depth + 1)));
    filled += AT_ONCE;
    if (filled < entries.length) box.append(button(`${entries.length - filled} more`, fill, { kind: "link" }));
  };
  box.addEventListener("toggle", () => box.open && !filled && fill());
  if (depth < 2 && entries.length <= AT_ONCE) {
    fill();
    box.open = true;
  }
  return box;
}

function leaf(value) {
  return element("span", { class: `tw-tree-${value === null ? "null" : typeof value}` }, JSON.stringify(value));
}
