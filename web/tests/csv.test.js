import assert from "node:assert/strict";
import { test } from "node:test";
import { CsvReader, between, decimate, isRising, numberOf } from "../src/csv.js";

function read(text, size = text.length || 1, delimiter = ",") {
  const rows = [];
  const reader = new CsvReader(delimiter, (cells) => rows.push(cells));
  for (let at = 0; at < text.length; at += size) reader.feed(text.slice(at, at + size));
  reader.end();
  return rows;
}

test("rows are the same in pieces of any size", () => {
  const text = 'a,"b ""c"", d",\r\n1,"two\nlines",""\r\n\n3,x"y,z';
  const whole = [["a", 'b "c", d', ""], ["1", "two\nlines", ""], ["3", 'x"y', "z"]];
  for (let size = 1; size <= text.length; size += 1) assert.deepEqual(read(text, size), whole, `pieces of ${size}`);
});

test("other delimiters and old line ends are read", () => {
  assert.deepEqual(read("a;b\r1;2\r", 3, ";"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(read(""), []);
});

test("numbers and times become numbers, all else a gap", () => {
  assert.deepEqual(["1.5", " 2e3 ", "", "x", "1,5"].map(numberOf), [1.5, 2000, NaN, NaN, 1.5]);
  assert.equal(numberOf("1970-01-01T00:01:00Z"), 60);
});

test("a single peak among a million values is drawn", () => {
  const values = new Float64Array(1_000_000);
  values[777_777] = 9;
  values[123_456] = -9;
  const kept = decimate([values], 0, values.length, 2000);
  assert.ok(kept.length <= 2002);
  assert.ok(kept.includes(777_777) && kept.includes(123_456));
  assert.deepEqual([kept[0], kept.at(-1)], [0, 999_999]);
  assert.ok(kept.every((row, index) => index === 0 || row > kept[index - 1]), "in order");
});

test("few values and gaps are kept as they are", () => {
  assert.deepEqual([...decimate([Float64Array.of(1, NaN, 3)], 0, 3, 2000)], [0, 1, 2]);
  assert.deepEqual([...decimate([], 0, 0, 2000)], []);
});

test("a part of the plot is found by its values", () => {
  const x = Float64Array.of(0, 1, 2, 3, 4);
  assert.deepEqual(between(x, 5, 1, 3), [1, 4]);
  assert.deepEqual([isRising(x, 5), isRising(Float64Array.of(1, 0), 2)], [true, false]);
});
