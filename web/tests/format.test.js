import assert from "node:assert/strict";
import { test } from "node:test";
import { besideName, encodePath, formatDuration, formatSize, joinPath, nameProblem, stripAnsi } from "../src/format.js";

test("sizes are short and in powers of a thousand", () => {
  assert.deepEqual([0, 999, 1000, 123456, 10_000_000_000].map(formatSize), ["0 B", "999 B", "1.0 kB", "123 kB", "10.0 GB"]);
});

test("durations are in the unit that people think in", () => {
  assert.deepEqual([0.25, 42, 61, 3720, Infinity].map(formatDuration), ["0.3 s", "42 s", "1 min 1 s", "1 h 2 min", ""]);
});

test("every character of a name survives in an address", () => {
  assert.equal(encodePath("a b/ü#?%/c"), "a%20b/%C3%BC%23%3F%25/c");
  assert.equal(joinPath("", "a", "", "b"), "a/b");
});

test("a name beside one that is taken keeps its ending", () => {
  assert.equal(besideName("plot.png", new Set()), "plot (2).png");
  assert.equal(besideName(".bashrc", new Set([".bashrc (2)"])), ".bashrc (3)");
});

test("names that cannot be are told", () => {
  for (const bad of ["", "  ", ".", "..", "a/b", "x".repeat(256)]) assert.notEqual(nameProblem(bad), "");
  for (const good of ["a", "a b", "ü", "..."]) assert.equal(nameProblem(good), "");
});

test("terminal colours are left out, text stays", () => {
  assert.equal(stripAnsi("\x1b[31mred\x1b[0m \x1b]0;title\x07plain"), "red plain");
});
