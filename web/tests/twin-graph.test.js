import assert from "node:assert/strict";
import { test } from "node:test";
import { bundle, endWords } from "../src/twin-graph-core.js";
import { layOut, route } from "../src/twin-graph.js";

const node = (kind, number = 0) => ({ id: `${kind}-${number}`, kind, label: `${kind} ${number}`, there: true });
const many = (kind, count) => Array.from({ length: count }, (_, number) => node(kind, number));
const toTwin = (nodes) => nodes.filter(({ kind }) => kind !== "twin").map(({ id }) => ({ from: id, to: "twin-0" }));

function overlaps(nodes) {
  return nodes.flatMap((a, index) => nodes.slice(index + 1).filter((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).map((b) => [a.id, b.id]));
}

test("from 1 to 40 nodes nothing overlaps and nothing leaves the picture, wide or narrow", () => {
  for (const counts of [[0, 0, 0], [1, 0, 1], [3, 2, 3], [20, 8, 11]]) {
    const nodes = [node("twin"), ...many("model", counts[0]), ...many("fmu", counts[1]), ...many("output", counts[2])];
    for (const width of [340, 720, 1200]) {
      const drawn = layOut({ nodes, edges: toTwin(nodes) }, width);
      assert.equal(drawn.nodes.length, nodes.length);
      assert.deepEqual(overlaps(drawn.nodes.filter(({ holds }) => !holds)), [], `${counts} at ${width}`);
      for (const { x, y, w, h } of drawn.nodes) assert.ok(x >= 0 && x + w <= width + 0.5 && y >= 0 && y + h <= drawn.height + 0.5, `${counts} at ${width}`);
    }
  }
});

test("assets stand left of the twin, what it gives right of it", () => {
  const nodes = [node("output"), node("twin"), node("model"), node("data")];
  const at = Object.fromEntries(layOut({ nodes, edges: [] }, 1000).nodes.map(({ kind, x }) => [kind, x]));
  assert.ok(at.model < at.twin && at.data < at.twin && at.twin < at.output);
});

test("several connections of the same two FMUs are one line with all labels", () => {
  const edges = [{ from: "fmu-0", to: "fmu-1", label: "x → x" }, { from: "fmu-0", to: "fmu-1", label: "v → v" }, { from: "fmu-1", to: "fmu-0", label: "F → F" }];
  assert.deepEqual(bundle(edges).map(({ labels }) => labels), [["x → x", "v → v"], ["F → F"]]);
  assert.deepEqual(endWords(["x → u", "v → w"]), { from: "x, v", to: "u, w" });
  assert.equal(endWords(["a very long name of an output → u"]).from.length, 15);
  for (const width of [340, 1000]) {
    const drawn = layOut({ nodes: [node("twin"), ...many("fmu", 2)], edges }, width);
    assert.ok(drawn.edges.every(({ path }) => path.startsWith("M") && !path.includes("NaN")));
    const [box, ...blocks] = drawn.nodes;
    for (const { x, y, w, h } of blocks) assert.ok(x > box.x && y > box.y && x + w < box.x + box.w && y + h < box.y + box.h);
  }
});

test("links to nodes that are not there are left out, and a node linked with itself is no crash", () => {
  const drawn = layOut({ nodes: [node("twin")], edges: [{ from: "twin-0", to: "gone" }, { from: "twin-0", to: "twin-0" }] }, 600);
  assert.deepEqual(drawn.edges, []);
});

test("FMUs stand inside the twin, and their model reaches it through them", () => {
  const nodes = [node("twin"), node("model"), node("model", 1), node("fmu")];
  const edges = [{ from: "model-0", to: "twin-0" }, { from: "model-1", to: "twin-0" }, { from: "model-0", to: "fmu-0" }, { from: "fmu-0", to: "twin-0" }];
  assert.deepEqual(route({ nodes, edges }).map(({ from, to }) => `${from} ${to}`), ["model-1 twin-0", "model-0 fmu-0"]);
});
