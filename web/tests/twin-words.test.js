import assert from "node:assert/strict";
import { test } from "node:test";
import { agoWords, freeName, summary, twinNameProblem } from "../src/twin-words.js";
import { readDiff } from "../src/twin-diff-lines.js";
import { aligned, columnsOf, linesOf, numericColumns, tellingResult, varied } from "../src/twin-sweep-table.js";

const runs = [3, 1, 2].map((k) => ({ id: `r${k}`, state: "succeeded", parameters: { k, c: 5 } }));
const table = { columns: ["run", "k", "c", "state", "duration_s", "peak last", "word"], rows: [[1, 3, 5, "succeeded", 1, 0.3, "a"], [2, 1, 5, "succeeded", 2, 0.1, "b"], [3, 2, 5, "waiting", null, null, "c"]] };

test("what was varied is told from what stayed, and what came out from both", () => {
  assert.deepEqual(varied(runs), ["k"]);
  const shown = columnsOf({ table });
  assert.deepEqual(shown.columns, ["k", "c", "duration_s", "peak last", "word"]);
  assert.deepEqual(numericColumns(shown, { runs }), { inputs: ["k"], results: ["peak last", "duration_s"] });
});

test("results are drawn in the order of what was varied, runs without a result left out", () => {
  assert.deepEqual(linesOf(columnsOf({ table }), { runs, x: "k", y: "peak last" }), [{ label: "peak last", points: [[1, 0.1], [3, 0.3]] }]);
});

test("what tells the runs apart is shown first", () => {
  const shown = { columns: ["duration_s", "time last", "peak last"], rows: [[1, 10, 0.1], [2, 10, 0.3]] };
  assert.equal(tellingResult(shown, ["time last", "peak last", "duration_s"]), "peak last");
  assert.equal(tellingResult(shown, ["duration_s"]), "duration_s");
});

test("each choice of a second varied value is a line of its own", () => {
  const grid = [[1, 1], [1, 2], [2, 1], [2, 2]].map(([k, m]) => ({ id: "r", state: "succeeded", parameters: { k, m } }));
  const rows = grid.map(({ parameters: { k, m } }, index) => [index + 1, k, m, "succeeded", 1, k * m]);
  const lines = linesOf(columnsOf({ table: { columns: ["run", "k", "m", "state", "duration_s", "y"], rows } }), { runs: grid, x: "k", y: "y" });
  assert.deepEqual(lines.map(({ label }) => label), ["m = 1", "m = 2"]);
  assert.deepEqual(aligned([...lines, { label: "gap", points: [[2, 9]] }]), [[1, 2], [1, 2], [2, 4], [null, 9]]);
});

test("a difference is read with the numbers of its lines", () => {
  const diff = "--- a\n+++ b\n@@ -2,2 +2,2 @@\n same\n-old\n+new\n@@ -9 +9 @@\n-x\n\\ No newline at end of file\n+y\n";
  const lines = readDiff(diff);
  assert.deepEqual(lines.map(({ kind }) => kind), ["same", "removed", "added", "gap", "removed", "added"]);
  assert.deepEqual(lines.map(({ oldNumber, newNumber }) => [oldNumber, newNumber]), [[2, 2], [3, null], [null, 3], [null, null], [9, null], [null, 9]]);
});

test("a report says first what is missing", () => {
  const finding = (level) => ({ subject: "x", level, what: "", fix: "" });
  assert.equal(summary({ ok: false, findings: [finding("missing"), finding("ok"), finding("warning")] }), "1 thing missing, 1 warning.");
  assert.equal(summary({ ok: true, findings: [finding("ok")] }), "Everything is there.");
  assert.match(summary({ ok: true, findings: [] }), /nothing to check/);
});

test("a new twin's name is free and possible", () => {
  const taken = new Set(["tank", "tank-2"]);
  assert.equal(freeName("tank", taken), "tank-3");
  assert.equal(freeName("beam", taken), "beam");
  for (const bad of ["", ".hidden", "a/b", "tank", " tank", "-x", "runs", "x".repeat(256)]) assert.notEqual(twinNameProblem(bad, taken), "", bad);
  assert.equal(twinNameProblem("ü & b#1", taken), "");
});

test("how long ago is said in the unit that people think in", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  assert.equal(agoWords("2026-01-01T23:59:58Z", now), "2 seconds ago");
  assert.equal(agoWords("2026-01-01T23:00:00Z", now), "1 hour ago");
  assert.equal(agoWords("2026-01-01T00:00:00Z", now), "yesterday");
  assert.equal(agoWords("2026-01-03T00:00:00Z", now), "now");
});
