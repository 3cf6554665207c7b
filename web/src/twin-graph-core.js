// The middle of the picture: the twin as a box, its FMUs inside as blocks, and their connections at the blocks' right,
// each with the output's name where it leaves and the input's name where it arrives.

export const LANE = 9;
export const STUB = { least: 44, most: 104 };
const LETTER = 6.5;
const PAD = 14;
const TITLE = { alone: 84, above: 58 };
const ALONE_WIDTH = 200;
const END = 19;

// Links between the same two nodes are one line with several labels.
export function bundle(edges) {
  const bundles = new Map();
  for (const { from, to, label } of edges) {
    const key = JSON.stringify([from, to]);
    const made = bundles.get(key) ?? { from, to, labels: [] };
    if (label) made.labels.push(label);
    bundles.set(key, made);
  }
  return [...bundles.values()];
}

// "level → u", "pump → p" become "level, pump" at the beginning and "u, p" at the end.
export function endWords(labels, most = 15) {
  const halves = labels.map((label) => label.split(/\s*(?:→|->)\s*/));
  const words = (at) => {
    const listed = [...new Set(halves.map((half) => half[at] ?? "").filter(Boolean))].join(", ");
    return listed.length > most ? `${listed.slice(0, most - 1)}…` : listed;
  };
  return { from: words(0), to: words(1) };
}

// Give the box {w, h, nodes, links, stub}; nodes stand relative to the box, the twin's own first.
export function coreOf({ inner, twin, bundles, innerWidth, least = 0 }) {
  const at = new Map(inner.map((node, index) => [node.id, index]));
  const links = bundles.filter(({ from, to }) => at.has(from) && at.has(to)).sort((a, b) => Math.abs(at.get(a.from) - at.get(a.to)) - Math.abs(at.get(b.from) - at.get(b.to)));
  const longest = Math.max(0, ...links.flatMap(({ labels }) => Object.values(endWords(labels)).map((words) => words.length)));
  const stub = links.length ? Math.max(STUB.least, Math.min(STUB.most, longest * LETTER + 14)) : 0;
  const gutter = links.length ? stub + links.length * LANE + 8 : 0;
  const w = Math.max(least, inner.length ? PAD * 2 + innerWidth + gutter : ALONE_WIDTH);
  const blockWidth = w - PAD * 2 - gutter;
  let y = TITLE.above;
  const blocks = inner.map((node) => {
    const ends = links.filter(({ from, to }) => from === node.id || to === node.id).length;
    const block = { ...node, x: PAD, y, w: blockWidth, h: Math.max(46, ends * END + 12) };
    y += block.h + 10;
    return block;
  });
  const h = inner.length ? y - 10 + PAD : TITLE.alone;
  return { w, h, nodes: [{ ...twin, x: 0, y: 0, w, h, holds: inner.length > 0 }, ...blocks], links, stub };
}

// The connections' lines, once the box has its place: [{edge, path, texts}].
export function linkPaths(nodes, { links, stub }) {
  const block = (id) => nodes.find((node) => node.id === id);
  const heights = new Map(links.map((edge) => [edge, {}]));
  for (const node of nodes) {
    const ends = links.flatMap((edge) => [["from", "to"], ["to", "from"]].filter(([end]) => edge[end] === node.id).map(([end, other]) => ({ edge, end, far: block(edge[other]).y })));
    ends.sort((a, b) => a.far - b.far);
    ends.forEach(({ edge, end }, index) => { heights.get(edge)[end] = node.y + (node.h * (index + 1)) / (ends.length + 1); });
  }
  return links.map((edge, lane) => {
    const { from: ya, to: yb } = heights.get(edge);
    const right = block(edge.from).x + block(edge.from).w;
    const x = right + stub + (lane + 1) * LANE;
    const r = Math.min(8, Math.abs(yb - ya) / 2) * (yb > ya ? 1 : -1);
    const words = endWords(edge.labels);
    return {
      edge,
      path: `M${right},${ya} H${x - 8} Q${x},${ya} ${x},${ya + r} V${yb - r} Q${x},${yb} ${x - 8},${yb} H${right}`,
      texts: [{ x: right + 5, y: ya - 3, anchor: "start", words: words.from }, { x: right + 11, y: yb - 3, anchor: "start", words: words.to }].filter(({ words: some }) => some),
    };
  });
}
