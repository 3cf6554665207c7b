import assert from "node:assert/strict";
import { test } from "node:test";
import { allowedWords, limitWords, readAll, readTyped, typedOf, valuesOfRange } from "../src/twin-values.js";

const level = { name: "level", type: "real", unit: "m", default: 1, range: [0, 5], choices: [] };
const count = { name: "count", type: "integer", unit: "", default: 3, range: [1, null], choices: [] };
const mode = { name: "mode", type: "string", unit: "", default: "fast", range: null, choices: ["fast", "exact"] };
const noisy = { name: "noisy", type: "boolean", unit: "", default: false, range: null, choices: [] };

test("numbers are read as the workspace reads them, with or without their unit", () => {
  for (const [typed, value] of [["2.5", 2.5], [" .5 ", 0.5], ["1e0", 1], ["4 m", 4], ["4m", 4], ["+2.", 2]]) assert.deepEqual(readTyped(level, typed), { value });
  for (const bad of ["5.1", "-0.1", "abc", "1,5", "0x1", "010", "1_0", "Infinity", "2 km"]) assert.match(readTyped(level, bad).problem ?? "", /is not allowed for the parameter 'level'/, bad);
});

test("a refusal is in the workspace's own words", () => {
  assert.equal(readTyped(level, "9").problem, "'9' is not allowed for the parameter 'level': it is a real number in m from 0 to 5. Give one of those; without it, it is '1'.");
  assert.equal(allowedWords(count), "an integer from 1 on");
  assert.equal(allowedWords(mode), "one of 'fast', 'exact'");
  assert.equal(limitWords(level), "0 to 5");
  assert.equal(limitWords(count), "whole number, at least 1");
});

test("whole numbers, truths and choices are kept apart", () => {
  assert.deepEqual(readTyped(count, "2"), { value: 2 });
  assert.ok(readTyped(count, "2.5").problem);
  assert.deepEqual(readTyped(noisy, "true"), { value: true });
  assert.deepEqual(readTyped(mode, "exact"), { value: "exact" });
  assert.ok(readTyped(mode, "slow").problem);
});

test("an empty field means the default, and is refused where there is none", () => {
  assert.equal(readTyped(level, "").missing, true);
  assert.match(readTyped({ ...level, default: null }, " ").problem, /no default and was not given/);
});

test("a range becomes the values of a sweep, its end included", () => {
  assert.deepEqual(valuesOfRange(0, 1, 0.1).at(-1), 1);
  assert.equal(valuesOfRange(0, 1, 0.1).length, 11);
  assert.deepEqual(valuesOfRange(3, 1, -1), [3, 2, 1]);
  assert.deepEqual(readTyped(level, "1:3:1"), { sweep: "1:3:1", values: [1, 2, 3] });
  assert.deepEqual(readTyped(count, "2:4").values, [2, 3, 4]);
  for (const bad of ["1:9:1", "1:3:0", "3:1:1", "1::2", "1:2:3:4", "0:5:0.0001", "a:b"]) assert.ok(readTyped(level, bad).problem, bad);
  assert.ok(readTyped(count, "1:3:0.5").problem);
});

test("all fields together say what to send and how many runs it means", () => {
  const typed = { level: "0:4:1", count: "1:2:1", mode: "exact", noisy: "true" };
  assert.deepEqual(readAll([level, count, mode, noisy], typed), { values: { mode: "exact", noisy: true }, sweeps: { level: "0:4:1", count: "1:2:1" }, problems: {}, runs: 10 });
  assert.deepEqual(Object.keys(readAll([level, count], { level: "x", count: "" }).problems), ["level"]);
  assert.match(readAll([level, count], { level: "0:5:0.01", count: "1:9:1" }).problems.count, /4,509 runs/);
});

test("a remembered range stays a range", () => {
  assert.equal(typedOf(level, "0:4:1"), "0:4:1");
  assert.equal(typedOf(level, undefined), "1");
  assert.equal(typedOf(noisy, undefined), "false");
});
