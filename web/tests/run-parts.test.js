import assert from "node:assert/strict";
import { test } from "node:test";
import { howItEnded } from "../src/run-badge.js";
import { valueInWords, valuesInWords, varying } from "../src/run-values.js";
import { tableSource, valuesSource } from "../src/plot-source.js";

test("how a run ended is told with what a person would ask next", () => {
  assert.equal(howItEnded({ state: "failed", exit_code: 3, duration_s: 2 }), "exit code 3, after 2.0 s");
  assert.equal(howItEnded({ state: "stopped", exit_code: 143, reason: "time limit of 60 s", duration_s: 60 }), "time limit of 60 s, after 1 min 0 s");
  assert.equal(howItEnded({ state: "running", exit_code: null, duration_s: 5 }), "");
});

test("of many parameters those are told that tell runs apart", () => {
  const runs = [{ a: 1, b: 2, c: true }, { a: 1, b: 3, c: true }, { a: 1, b: 2 }];
  assert.deepEqual(varying(runs), new Set(["b", "c"]));
  assert.equal(valuesInWords(runs[1], varying(runs)), "b = 3, c = yes");
  assert.equal(valuesInWords(runs[0]), "a = 1, b = 2, c = yes");
  assert.equal(valuesInWords(null), "");
  assert.deepEqual(varying([]), new Set());
});

test("numbers are told without the noise of binary fractions", () => {
  assert.equal(valueInWords(0.1 + 0.2), "0.3");
  assert.equal(valueInWords(null), "–");
  assert.equal(valueInWords(0), "0");
});

test("values of a sweep are drawn in order of what they are drawn along", async () => {
  const source = valuesSource([{ name: "k", values: [3, 1, 2] }, { name: "peak", values: [30, 10, null] }, { name: "words", values: ["a", "b", "c"] }]);
  const about = await source.describe();
  assert.deepEqual([about.x_column, about.x_range, about.rows_total], ["k", [1, 3], 3]);
  assert.equal(about.columns[2].kind, "text");
  const found = await source.read({ x: "k", columns: ["peak"], from: 1.5, to: 9 });
  assert.deepEqual([found.x, found.series.peak.values, found.rows], [[2, 3], [null, 30], 2]);
});

test("a column whose name holds a comma is asked for by itself", async () => {
  const asked = [];
  globalThis.fetch = async (address) => {
    asked.push(address);
    const columns = new URLSearchParams(address.split("?")[1]).get("columns");
    return new Response(JSON.stringify({ x: [1], rows: 1, series: Object.fromEntries((columns === "a,b" ? [columns] : columns.split(",")).map((name) => [name, { values: [name.length] }])) }));
  };
  const source = tableSource({ api: (path) => `/api/${path}`, twin: "my twin", path: "sub/ü.csv" });
  const found = await source.read({ x: null, columns: ["c", "a,b", "d"], from: undefined, to: 5, points: 100 });
  assert.deepEqual(Object.keys(found.series).sort(), ["a,b", "c", "d"]);
  assert.deepEqual(asked, ["/api/my%20twin/outputs/sub/%C3%BC.csv/series?columns=c%2Cd&to=5&points=100", "/api/my%20twin/outputs/sub/%C3%BC.csv/series?columns=a%2Cb&to=5&points=100"]);
});
