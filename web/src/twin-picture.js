// The picture of what a twin is made of. Nodes are links to the Library; the same stands below as a list.

import { addressOf } from "./address.js";
import { element } from "./dom.js";
import { plural } from "./format.js";
import { KINDS, layOut } from "./twin-graph.js";
import { me } from "./twins-here.js";

const SPACE = "http://www.w3.org/2000/svg";
const SINGULAR = { data: "data", model: "model", function: "function", tool: "tool", fmu: "FMU", instance: "instance", twin: "twin", output: "output", service: "service", port: "port" };
const canvas = document.createElement("canvas").getContext("2d");

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Cut in the middle, as names differ at both ends.
function fitted(text, room, size) {
  canvas.font = `650 ${size}px ${getComputedStyle(document.body).fontFamily}`;
  if (canvas.measureText(text).width <= room) return text;
  for (let keep = text.length - 1; keep > 3; keep -= 1) {
    const cut = `${text.slice(0, Math.ceil(keep * 0.6))}…${text.slice(text.length - Math.floor(keep * 0.4))}`;
    if (canvas.measureText(cut).width <= room) return cut;
  }
  return `${text.slice(0, 3)}…`;
}

// Paths are from the workspace on, "models/x" or "common/models/x"; the Library has them below their owner.
export function libraryAddress(path) {
  const parts = path.replace(/^\/workspace\//, "").split("/").filter(Boolean);
  return addressOf((parts[0] === "common" ? parts : [me, ...parts]).join("/"), me, { isFolder: false });
}

// A twin's title in two lines where one is too short.
function titleLines(text, room, size) {
  canvas.font = `650 ${size}px ${getComputedStyle(document.body).fontFamily}`;
  if (canvas.measureText(text).width <= room) return [text];
  const words = text.split(" ");
  let first = words.shift();
  while (words.length && canvas.measureText(`${first} ${words[0]}`).width <= room) first += ` ${words.shift()}`;
  return words.length ? [fitted(first, room, size), fitted(words.join(" "), room, size)] : [fitted(first, room, size)];
}

function twinText({ x, y, w, h, label, holds }) {
  const lines = holds ? [fitted(label, w - 24, 15)] : titleLines(label, w - 24, 15);
  const top = holds ? y + 22 : y + h / 2 - (lines.length - 1) * 9 - 2;
  return [...lines.map((line, index) => svg("text", { class: "tw-node-label", x: x + w / 2, y: top + index * 18, "text-anchor": "middle" }, line)),
    svg("text", { class: "tw-node-kind", x: x + w / 2, y: top + lines.length * 18 - 1, "text-anchor": "middle" }, holds ? "twin, with its FMUs" : "twin")];
}

function nodeText({ x, y, w, h, kind, label, there, path }) {
  const close = h < 40;
  const what = `${SINGULAR[kind] ?? kind}${there === false ? ", missing" : kind === "service" && path ? ` at ${path}` : ""}`;
  return [svg("text", { class: "tw-node-label", x: x + 18, y: close ? y + h / 2 + 4.5 : y + h / 2 - 2 }, fitted(label, w - 26, 13.5)),
    ...(close ? [] : [svg("text", { class: "tw-node-kind", x: x + 18, y: y + h / 2 + 15 }, fitted(what, w - 26, 11.5))])];
}

// What lies outside the workspace has no page in the Library, and a service's path is its address.
const isLinked = ({ kind, path, there }) => Boolean(path) && there !== false && kind !== "service" && (!path.startsWith("/") || path.startsWith("/workspace/"));

function drawNode(node) {
  const { x, y, w, h, kind, label, there, path } = node;
  const missing = there === false;
  const words = `${SINGULAR[kind] ?? kind} ${label}${missing ? ", missing" : ""}`;
  const isTwin = kind === "twin";
  const shapes = svg("g", { class: `tw-node tw-node-${kind}${missing ? " tw-node-missing" : ""}` },
    svg("title", {}, words),
    svg("rect", { class: "tw-node-box", x, y, width: w, height: h, rx: isTwin ? 12 : 8 }),
    isTwin ? null : svg("rect", { class: "tw-node-mark", x: x + 5, y: y + 6, width: 4, height: h - 12, rx: 2 }),
    ...(isTwin ? twinText(node) : nodeText(node)));
  if (!isLinked(node)) return svg("g", { role: "img", "aria-label": words }, shapes);
  return svg("a", { href: libraryAddress(path), "aria-label": words }, shapes);
}

function drawEdge({ path, texts }) {
  return svg("g", { class: "tw-edge", "aria-hidden": "true" }, svg("path", { d: path, "marker-end": "url(#tw-arrow)" }), ...texts.map(({ x, y, anchor, words }) => svg("text", { x, y, "text-anchor": anchor }, words)));
}

function draw(composition, width) {
  const { height, nodes, headings, edges } = layOut(composition, width);
  return svg("svg", { class: "tw-composition", viewBox: `-2 -2 ${width + 4} ${height + 4}`, width: width + 4, height: height + 4, role: "group", "aria-label": "What the twin is made of" },
    svg("defs", {}, svg("marker", { id: "tw-arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { class: "tw-arrow", d: "M0,0 L8,4 L0,8 z" }))),
    ...nodes.filter(({ holds }) => holds).map(drawNode),
    ...edges.map(drawEdge),
    ...headings.map(({ x, y, words }) => svg("text", { class: "tw-node-heading", x, y }, words)),
    ...nodes.filter(({ holds }) => !holds).map(drawNode));
}

function asList({ nodes, edges }) {
  const called = new Map(nodes.map((node) => [node.id, node.label]));
  const kinds = Object.keys(KINDS).filter((kind) => nodes.some((node) => node.kind === kind));
  const line = (node) => element("li", {}, isLinked(node) ? element("a", { href: libraryAddress(node.path) }, node.label) : node.label, node.there === false ? element("span", { class: "text-danger" }, " missing") : null);
  const links = edges.filter(({ from, to }) => called.has(from) && called.has(to));
  return element("details", { class: "tw-as-list" },
    element("summary", {}, `As a list: ${plural(nodes.length, "part")}, ${plural(links.length, "link")}`),
    element("dl", {}, ...kinds.flatMap((kind) => [element("dt", {}, KINDS[kind].words), element("dd", {}, element("ul", {}, ...nodes.filter((one) => one.kind === kind).map(line)))]),
      links.length ? element("dt", {}, "Links") : null,
      links.length ? element("dd", {}, element("ul", {}, ...links.map(({ from, to, label }) => element("li", {}, `${called.get(from)} → ${called.get(to)}${label ? `: ${label}` : ""}`)))) : null));
}

// Fill `place` with the picture; it is drawn anew when the width changes.
export function showComposition(place, composition) {
  const stage = element("div", { class: "tw-stage" });
  place.replaceChildren(stage, asList(composition));
  let drawn = 0;
  const redraw = () => {
    const width = Math.floor(stage.clientWidth) - 4;
    if (width < 100 || Math.abs(width - drawn) < 2) return;
    drawn = width;
    const focused = stage.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    stage.replaceChildren(draw(composition, width));
    if (focused) stage.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  };
  const watch = new ResizeObserver(redraw);
  watch.observe(stage);
  redraw();
  return { close: () => watch.disconnect() };
}
