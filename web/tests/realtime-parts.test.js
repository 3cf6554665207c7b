import assert from "node:assert/strict";
import { test } from "node:test";
import { messagesOf, simpleFields, valueOf } from "../src/realtime-message-fields.js";
import { suggest } from "../src/realtime-where.js";
import { agoWords, figure, flat, rateWords, stateWords, typeWords } from "../src/realtime-words.js";

const FIELDS = [{ name: "temperature_c", kind: "number" }, { name: "region", kind: "text", choices: ["NW", "it's"] }, { name: "on", kind: "boolean" }, { name: "log", kind: "none", why: "it is a list" }];
const offered = (text, caret = text.length) => suggest(text, caret, FIELDS).words;

test("a filter begins with fields that can be asked for", () => {
  assert.deepEqual(offered(""), ["temperature_c", "region", "on", "NOT"]);
  assert.deepEqual(offered("te"), ["temperature_c"]);
  assert.deepEqual(suggest("te", 2, FIELDS).from, 0);
});

test("after a field come operators of its kind, after these its values", () => {
  assert.ok(offered("temperature_c ").includes(">="));
  assert.ok(!offered("on ").includes(">="));
  assert.deepEqual(offered("region = "), ["'NW'", "'it''s'"]);
  assert.deepEqual(offered("region = 'N"), ["'NW'"]);
  assert.deepEqual(offered("on = "), ["TRUE", "FALSE"]);
});

test("a comparison can be followed by another", () => {
  assert.deepEqual(offered("temperature_c > 90 "), ["AND", "OR"]);
  assert.deepEqual(offered("temperature_c > 90 AND "), ["temperature_c", "region", "on", "NOT"]);
});

test("inside a text nothing is offered that is none of its values", () => {
  assert.deepEqual(offered("temperature_c LIKE 'te"), []);
});

const STATUS = { type: "object", required: ["level", "kind"], properties: { type: { enum: ["Status"] }, level: { type: "integer" }, kind: { $ref: "#/$defs/Kind" }, note: { anyOf: [{ type: "string" }, { type: "null" }], default: null } }, $defs: { Kind: { enum: ["a", "b"] } } };

test("a form has a field for each single value of a message", () => {
  const fields = simpleFields(STATUS);
  assert.deepEqual(fields.map(({ name, type, needed }) => [name, type, needed]), [["level", "integer", true], ["kind", "choice", true], ["note", "string", false]]);
  assert.deepEqual(fields[1].choices, ["a", "b"]);
});

test("a message with lists is written as JSON instead", () => {
  assert.equal(simpleFields({ type: "object", properties: { points: { type: "array", items: { type: "number" } } } }), null);
});

test("what is typed becomes a value, or is refused by the field's name", () => {
  assert.equal(valueOf({ name: "level", type: "integer", needed: true }, "3"), 3);
  assert.equal(valueOf({ name: "x", type: "number", needed: true }, "3,5"), 3.5);
  assert.equal(valueOf({ name: "note", type: "string", needed: false }, ""), undefined);
  assert.throws(() => valueOf({ name: "level", type: "integer", needed: true }, "3.5"), /'level' must be a whole number/);
  assert.throws(() => valueOf({ name: "level", type: "number", needed: true }, ""), /'level'/);
});

test("kinds of messages are found in a model's description", () => {
  assert.deepEqual(messagesOf({ messages: [{ name: "Status", schema: STATUS }] }).map(({ name }) => name), ["Status"]);
  assert.deepEqual(messagesOf(undefined), []);
});

test("figures are short, and nothing is told from zero", () => {
  assert.equal(figure(null), "–");
  assert.equal(figure(0), "0");
  assert.equal(figure(1234567), "1,234,567");
  assert.equal(figure(3.14159265), "3.1416");
  assert.equal(figure(true), "yes");
  assert.equal(rateWords(0), "0/s");
  assert.equal(rateWords(2.04), "2.0/s");
});

test("times are told in their largest unit", () => {
  assert.equal(agoWords(100, 142), "42 s ago");
  assert.equal(agoWords(0, 7200), "2 h ago");
  assert.equal(agoWords(200, 100), "0 s ago");
});

test("a state is one list of values", () => {
  assert.deepEqual([...flat({ a: 1, b: { c: 2, d: { e: "x" } }, f: [1], g: {} })], [["a", 1], ["b.c", 2], ["b.d.e", "x"], ["f", [1]], ["g", {}]]);
});

test("types and states are said in words", () => {
  assert.equal(typeWords({ anyOf: [{ $ref: "#/$defs/R" }, { type: "null" }], $defs: { R: { enum: ["N", "S"] } } }), "N, S, or nothing");
  assert.equal(typeWords({ type: "array", items: { type: "number" } }), "list of number");
  assert.equal(stateWords("failing"), "Does not run");
});
