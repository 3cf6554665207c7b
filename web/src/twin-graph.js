// Where the nodes and links of a twin's composition are drawn: assets left; in the middle the twin, with its FMUs and
// their connections inside; what it gives right. On a narrow screen all stand below each other. Pure numbers.

import { LANE, STUB, bundle, coreOf, linkPaths } from "./twin-graph-core.js";

export const KINDS = {
  data: { words: "Data", column: 0 }, model: { words: "Models", column: 0 }, function: { words: "Functions", column: 0 }, tool: { words: "Tools", column: 0 },
  fmu: { words: "FMUs", column: 1 }, instance: { words: "Instances of FMUs", column: 1 }, twin: { words: "Twin", column: 1 },
  output: { words: "Outputs", column: 2 }, service: { words: "Services it needs", column: 2 }, port: { words: "Ports it serves", column: 2 },
};
const ORDER = Object.keys(KINDS);
const HEADING = 22;
const SIDE = 190;
const WIDER = 50;
const LEAST_GAP = 56;
const isInner = ({ kind }) => kind === "fmu" || kind === "instance";
const columnOf = (node) => KINDS[node.kind]?.column ?? 0;

// The links that are drawn: an FMU stands inside the twin, and a model reaches it by way of its FMUs.
export function route({ nodes, edges }) {
  const twin = nodes.find(({ kind }) => kind === "twin")?.id;
  const kinds = new Map(nodes.map((node) => [node.id, isInner(node) ? "inner" : node.id === twin ? "twin" : "outer"]));
  const holding = new Set(edges.filter(({ from, to }) => kinds.get(from) === "outer" && kinds.get(to) === "inner").map(({ from }) => from));
  const known = edges.filter(({ from, to }) => kinds.has(from) && kinds.has(to) && from !== to);
  const drawn = known.filter(({ from, to }) => {
    const ends = [kinds.get(from), kinds.get(to)];
    return !(ends.includes("inner") && ends.includes("twin")) && !(to === twin && holding.has(from));
  });
  return drawn.map((edge) => (kinds.get(edge.from) === "inner" && kinds.get(edge.to) === "outer" && twin !== undefined ? { ...edge, from: twin } : edge));
}

// Give {width, height, nodes: [{...node, x, y, w, h}], headings: [{x, y, words}], edges: [{from, to, labels, path, texts: [{x, y, anchor, words}]}]}.
export function layOut({ nodes, edges }, width) {
  const bundles = bundle(route({ nodes, edges }));
  const sorted = [...nodes].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const twin = sorted.find(({ kind }) => kind === "twin") ?? { id: "", kind: "twin", label: "" };
  const parts = { left: sorted.filter((node) => columnOf(node) === 0), inner: sorted.filter(isInner), twin, right: sorted.filter((node) => columnOf(node) === 2), bundles };
  const core = coreOf({ ...parts, innerWidth: 150 });
  const sides = [parts.left, parts.right].filter((side) => side.length).length;
  return sides * (SIDE + LEAST_GAP) + core.w <= width ? beside(parts, core, width) : below(parts, width);
}

function rowsOf(column, left, w) {
  const [h, gap] = column.length > 12 ? [30, 6] : [46, 10];
  const placed = { nodes: [], headings: [], height: 0 };
  let kind = "";
  for (const node of column) {
    if (node.kind !== kind) {
      placed.height += placed.nodes.length ? 8 : 0;
      placed.headings.push({ x: left, y: placed.height + 12, words: KINDS[node.kind]?.words ?? node.kind });
      placed.height += HEADING;
    }
    kind = node.kind;
    placed.nodes.push({ ...node, x: left, y: placed.height, w, h });
    placed.height += h + gap;
  }
  placed.height = Math.max(0, placed.height - gap);
  return placed;
}

const shift = ({ nodes, headings = [] }, dx, dy) => ({ nodes: nodes.map((node) => ({ ...node, x: node.x + dx, y: node.y + dy })), headings: headings.map((heading) => ({ ...heading, x: heading.x + dx, y: heading.y + dy })) });

function beside({ left, right, bundles }, core, width) {
  const sides = [left, right].filter((side) => side.length).length;
  const wider = sides ? Math.max(0, Math.min(WIDER, (width - sides * (SIDE + 90) - core.w) / sides)) : 0;
  const w = SIDE + wider;
  const gap = sides ? Math.min(150, (width - sides * w - core.w) / sides) : 0;
  let x = (width - sides * (w + gap) - core.w) / 2;
  const columns = [];
  if (left.length) {
    columns.push({ rows: rowsOf(left, 0, w), x });
    x += w + gap;
  }
  columns.push({ rows: { nodes: core.nodes, height: core.h }, x });
  if (right.length) columns.push({ rows: rowsOf(right, 0, w), x: x + core.w + gap });
  const height = Math.max(...columns.map(({ rows }) => rows.height));
  const placed = columns.map(({ rows, x: at }) => shift(rows, at, (height - rows.height) / 2));
  const nodes = placed.flatMap((rows) => rows.nodes);
  return { width, height, narrow: false, nodes, headings: placed.flatMap((rows) => rows.headings), edges: connect(nodes, bundles, core) };
}

const find = (nodes, id) => nodes.find((node) => node.id === id);

// The height at which a line meets a node: all that meet the same side are spread over it, in the order of their other ends.
function spread(nodes, bundles) {
  const sides = new Map();
  for (const edge of bundles) {
    for (const [end, other] of [["from", "to"], ["to", "from"]]) {
      const [node, far] = [find(nodes, edge[end]), find(nodes, edge[other])];
      const key = JSON.stringify([edge[end], far.x < node.x]);
      sides.set(key, [...(sides.get(key) ?? []), { edge, end, node, far }]);
    }
  }
  const heights = new Map(bundles.map((edge) => [edge, {}]));
  for (const ends of sides.values()) {
    ends.sort((a, b) => a.far.y - b.far.y);
    ends.forEach(({ edge, end, node }, index) => { heights.get(edge)[end] = node.y + (node.h * (index + 1)) / (ends.length + 1); });
  }
  return heights;
}

function connect(nodes, bundles, core) {
  const links = new Map(linkPaths(nodes, core).map((link) => [link.edge, link]));
  const across = bundles.filter((edge) => !links.has(edge));
  const heights = spread(nodes, across);
  return bundles.map((edge) => ({ ...edge, ...(links.get(edge) ?? curve(find(nodes, edge.from), find(nodes, edge.to), heights.get(edge), edge.labels)) }));
}

function curve(a, b, { from: ya, to: yb }, labels) {
  const forward = a.x < b.x;
  const [xa, xb] = forward ? [a.x + a.w, b.x] : [a.x, b.x + b.w];
  const middle = (xa + xb) / 2;
  return { path: `M${xa},${ya} C${middle},${ya} ${middle},${yb} ${xb},${yb}`, texts: labels.length ? [{ x: middle, y: (ya + yb) / 2 - 4, anchor: "middle", words: labels.join(", ") }] : [] };
}

// Everything in one column; lines along the left edge join the twin with its assets and with what it gives.
function below({ left, inner, twin, right, bundles }, width) {
  const edge = 26;
  const room = width - edge - 2;
  const links = bundles.filter(({ from, to }) => find(inner, from) && find(inner, to)).length;
  const core = coreOf({ inner, twin, bundles, innerWidth: Math.max(110, room - 28 - (links ? STUB.most + links * LANE + 8 : 0)), least: room });
  const pieces = [left.length ? rowsOf(left, 0, room) : null, { nodes: core.nodes, height: core.h }, right.length ? rowsOf(right, 0, room) : null].filter(Boolean);
  let height = 0;
  const placed = pieces.map((rows, index) => {
    const at = height + (index ? 16 : 0);
    height = at + rows.height;
    return shift(rows, edge, at);
  });
  const nodes = placed.flatMap((rows) => rows.nodes);
  const joined = new Map(linkPaths(nodes, core).map((link) => [link.edge, link]));
  return { width, height, narrow: true, nodes, headings: placed.flatMap((rows) => rows.headings), edges: bundles.map((one) => ({ ...one, ...(joined.get(one) ?? around(find(nodes, one.from), find(nodes, one.to))) })) };
}

function around(a, b) {
  const down = a.y < b.y;
  const [ya, yb] = [a.y + Math.min(a.h, 60) * (down ? 0.6 : 0.4), b.y + Math.min(b.h, 60) * (down ? 0.35 : 0.65)];
  const r = down ? 8 : -8;
  return { path: `M${a.x},${ya} H14 Q6,${ya} 6,${ya + r} V${yb - r} Q6,${yb} 14,${yb} H${b.x}`, texts: [] };
}
