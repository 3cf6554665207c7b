import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, colouring, disc, fit, mercatorX, mercatorY, nearest, packed, stamp, zoomed } from "../src/realtime-map-core.js";

const many = (count) => {
  const ids = Array.from({ length: count }, (_, at) => `n${at}`);
  const turn = (at, by) => ((at * by) % 997) / 997;
  return { ids, x: ids.map((_, at) => -125 + 55 * turn(at, 31)), y: ids.map((_, at) => 26 + 22 * turn(at, 57)), values: ids.map((_, at) => at % 21) };
};

test("the world is a square with Greenwich and the equator in its middle", () => {
  assert.equal(mercatorX(0), 0.5);
  assert.ok(Math.abs(mercatorY(0) - 0.5) < 1e-12);
  assert.ok(mercatorY(60) < mercatorY(20));
  assert.ok(Number.isFinite(mercatorY(90)) && Number.isFinite(mercatorY(-90)));
});

test("few values have a colour each, many numbers a range each", () => {
  assert.deepEqual(colouring(["b", "a", "b"]).entries.map(({ label }) => label), ["a", "b"]);
  assert.deepEqual(colouring([3, 1, 2]).entries.map(({ label }) => label), ["1", "2", "3"]);
  const ranges = colouring(Array.from({ length: 21 }, (_, at) => at));
  assert.equal(ranges.entries.length, 7);
  for (const value of [0, 3, 10, 20]) {
    const { from, to } = ranges.entries[ranges.of(value)];
    assert.ok(from <= value && value <= to, `${value} in ${from} to ${to}`);
  }
});

test("every whole number is in the range that the legend says", () => {
  for (const high of [9, 13, 20, 53]) {
    const ranges = colouring(Array.from({ length: high + 1 }, (_, at) => at));
    for (let value = 0; value <= high; value += 1) {
      const { from, to } = ranges.entries[ranges.of(value)];
      assert.ok(from <= value && value <= to, `${value} of ${high} in ${from} to ${to}`);
    }
  }
});

test("what nearly all have is a colour of its own", () => {
  const values = [...new Array(100).fill(0), ...Array.from({ length: 20 }, (_, at) => at + 1)];
  const ranges = colouring(values);
  assert.equal(ranges.entries[0].label, "0");
  for (const value of values) {
    const { from, to } = ranges.entries[ranges.of(value)];
    assert.ok(from <= value && value <= to, `${value} in ${from} to ${to}`);
  }
});

test("what is worst is drawn last, and what has no place is left out and counted", () => {
  const points = arrange({ ids: ["a", "b", "c", "d"], x: [1, 2, null, 3], y: [1, 2, 3, 4], values: [9, 0, 5, 4] });
  assert.deepEqual([...points.ids], ["b", "d", "a"]);
  assert.equal(points.left, 1);
  assert.deepEqual(points.counts, [1, 1, 1]);
});

test("all points are seen at first, one point too", () => {
  for (const count of [1, 2, 500]) {
    const points = arrange(many(count));
    const view = fit(points, 800, 400);
    for (let at = 0; at < points.x.length; at += 1) {
      const [x, y] = [points.x[at] * view.scale + view.x, points.y[at] * view.scale + view.y];
      assert.ok(x >= 0 && x <= 800 && y >= 0 && y <= 400);
    }
  }
  assert.equal(fit(arrange({ ids: [], x: [], y: [], values: [] }), 800, 400).scale, 800);
});

test("what is below the pointer stays there when it is zoomed", () => {
  const view = { scale: 1000, x: 20, y: 30 };
  const closer = zoomed(view, 2, 300, 200);
  assert.ok(Math.abs((300 - closer.x) / closer.scale - (300 - view.x) / view.scale) < 1e-12);
});

test("a colour is written as red, green, blue, opaque", () => {
  const bytes = new Uint8Array(new Uint32Array([packed("#ff8001")]).buffer);
  assert.deepEqual([...bytes], [255, 128, 1, 255]);
});

test("the topmost point near the pointer is found, none where there is none", () => {
  const points = arrange({ ids: ["a", "b"], x: [0, 90], y: [0, 0], values: [1, 1] });
  const view = { scale: 1000, x: 0, y: 0 };
  assert.equal(points.ids[nearest(points, view, 502, 501, 10)], "a");
  assert.equal(nearest(points, view, 600, 600, 10), -1);
});

test("marks at the edge stay inside the picture", () => {
  const size = { width: 20, height: 10 };
  const buffer = new Uint32Array(200);
  const points = { x: Float64Array.of(0, 1), y: Float64Array.of(0, 0.5), colour: Uint8Array.of(0, 0) };
  stamp(buffer, size, points, { scale: 20, x: 0, y: 0 }, 3, [packed("#123456")]);
  assert.notEqual(buffer[0], 0);
  assert.equal(buffer[9], 0); // nothing ran over the right edge into the next row's beginning
  assert.ok(disc(3).pixels.length > 25);
});

test("20,000 points are stamped within a frame", () => {
  const points = arrange(many(20_000));
  const size = { width: 1400, height: 800 };
  const buffer = new Uint32Array(size.width * size.height);
  const view = fit(points, size.width, size.height);
  const palette = points.entries.map(({ colour }) => packed(colour));
  const times = [];
  for (let at = 0; at < 30; at += 1) {
    const began = performance.now();
    stamp(buffer, size, points, view, 2.4, palette);
    times.push(performance.now() - began);
  }
  // The fastest: a busy machine says nothing about the code.
  const fastest = Math.min(...times);
  console.log(`20,000 points: ${fastest.toFixed(2)} ms`);
  assert.ok(fastest < 16, `${fastest} ms`);
});
