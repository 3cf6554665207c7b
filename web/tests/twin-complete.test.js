import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { offersAt, placeInText } from "../src/twin-complete.js";

const schema = JSON.parse(readFileSync(new URL("../../lifecycle/descriptor/twin.schema.json", import.meta.url), "utf-8"));

// "|" is where the cursor stands.
function offers(text) {
  const at = text.indexOf("|");
  return offersAt(text.replace("|", ""), at, schema).map(({ label }) => label);
}

test("the place of the cursor is known while the text is not yet valid", () => {
  const place = (text) => placeInText(text.replace("|", ""), text.indexOf("|"));
  assert.deepEqual(place("parameters:\n  level:\n    ty|"), { path: ["parameters", "level"], valueOf: null });
  assert.deepEqual(place("parameters:\n  level: {type: real, |"), { path: ["parameters", "level"], valueOf: null });
  assert.deepEqual(place("parameters:\n  level: {type: |"), { path: ["parameters", "level"], valueOf: "type" });
  assert.deepEqual(place("title: x\n|"), { path: [], valueOf: null });
});

test("keys are offered where they belong", () => {
  assert.ok(["title", "uses", "parameters", "phases"].every((key) => offers("|").includes(key)));
  assert.ok(["models", "data", "functions", "tools"].every((key) => offers("uses:\n  |").includes(key)));
  assert.ok(["type", "unit", "default", "range"].every((key) => offers("parameters:\n  level:\n    |").includes(key)));
  assert.ok(offers("parameters:\n  level: {type: real, |").includes("unit"));
  assert.ok(["execute", "create"].every((key) => offers("phases:\n  |").includes(key)));
  assert.ok(offers("phases:\n  execute:\n    |").includes("time_limit"));
  assert.deepEqual(offers("nonsense:\n  deep:\n    |"), []);
});

test("values are offered where only some are allowed", () => {
  assert.ok(["real", "integer", "boolean", "string"].every((value) => offers("parameters:\n  level:\n    type: |").includes(value)));
  assert.deepEqual(offers("title: |"), []);
});
