import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceAddress, parseRealtimeAddress, realtimeAddress } from "../src/realtime-address.js";
import { applyChanges, questionProblem, questionWords, tableOf, tidy } from "../src/realtime-question.js";
import { exampleOf, modelNames, pythonOf, readDashboard, snippets } from "../src/realtime-text.js";

const parse = (address) => parseRealtimeAddress(...new URL(address, "http://here").href.match(/^http:\/\/here([^?]*)(.*)$/).slice(1));

test("every place of the page has an address that leads back to it", () => {
  const places = [
    { view: "models", name: "", tab: "", id: "", words: {} },
    { view: "models", name: "Turbine", tab: "overview", id: "", words: {} },
    { view: "models", name: "Turbine", tab: "instances", id: "", words: { where: "rpm > 3 AND region = 'NW'", sort: "-rpm" } },
    { view: "models", name: "Turbine", tab: "instances", id: "hall 3/unit#7?", words: {} },
    { view: "models", name: "Turbine", tab: "dead-letters", id: "", words: {} },
    { view: "dashboards", name: "Power grid", tab: "", id: "", words: {} },
    { view: "query", name: "", tab: "", id: "", words: { model: "Turbine", q: '{"measures":[]}' } },
    { view: "alerts", name: "", tab: "rules", id: "", words: {} },
  ];
  for (const place of places) assert.deepEqual(parse(realtimeAddress(place)), place);
});

test("an address that nobody made leads somewhere", () => {
  assert.equal(parse("/app/realtime/nonsense").view, "models");
  assert.equal(parse("/app/realtime/models/Turbine/nonsense").tab, "overview");
  assert.equal(parse("/app/realtime/models/%E0%A4%A").name, "%E0%A4%A");
  assert.equal(instanceAddress("Turbine", "a"), "/app/realtime/models/Turbine/instances/a");
});

test("the twins of a file are named, also those that inherit from one", () => {
  const text = "class Reading(Message):\n    pass\nclass Boiler(Twin):\n    x: int = 0\nclass Large(Boiler, kw_only=True):\n    pass\nclass Other(realtime.Twin):\n    pass\n";
  assert.deepEqual(modelNames(text), ["Boiler", "Large", "Other"]);
  assert.deepEqual(modelNames("print('no class')"), []);
});

test("an example of a message has what must be there, of its type", () => {
  const schema = { type: "object", required: ["kind", "level"], properties: { kind: { $ref: "#/$defs/Kind" }, level: { type: "number", minimum: 2 }, note: { type: "string" } }, $defs: { Kind: { enum: ["a", "b"] } } };
  assert.deepEqual(exampleOf(schema), { kind: "a", level: 2 });
});

test("what is to be copied survives quotes and names with spaces", () => {
  const made = snippets({ origin: "https://hub", owner: "ada", model: "Boiler", instance: "it's", message: { on: true, word: "don't" }, mqtt: { host: "hub", port: 8883, tls: true } });
  const [curl, mqtt, python] = made.map(({ text }) => text);
  assert.match(curl, /instances\/it's\/messages|it'\\''s/);
  assert.ok(curl.includes(String.raw`'{"on":true,"word":"don'\''t"}'`));
  assert.ok(mqtt.includes("-p 8883 --tls-use-os-certs"));
  assert.ok(mqtt.includes('-P "$DEVICE_KEY"'));
  assert.ok(python.includes('{"on": True, "word": "don\'t"}'));
  assert.ok(!made.some(({ text }) => text.includes("undefined")));
});

test("where devices cannot reach the platform by MQTT, nothing is promised", () => {
  const made = snippets({ origin: "https://hub", owner: "ada", model: "Boiler", instance: "a", message: {}, mqtt: null });
  assert.deepEqual(made.map(({ id }) => id), ["curl", "python"]);
});

test("JSON becomes Python", () => {
  assert.equal(pythonOf({ a: [1, null, false], "b c": "x" }), '{"a": [1, None, False], "b c": "x"}');
});

test("a question holds only what says something", () => {
  assert.deepEqual(tidy({ where: "  ", group_by: [{ field: "region", bin: 0 }], measures: [{ of: "count", field: "x" }, { of: "avg", field: "rpm" }] }), { measures: [{ of: "count" }, { of: "avg", field: "rpm" }], group_by: [{ field: "region" }] });
  assert.equal(questionWords({ where: "x > 1", group_by: [{ field: "region" }], measures: [{ of: "max", field: "level" }] }), "highest of level by region where x > 1");
  assert.match(questionProblem({ measures: [] }), /at least one/);
  assert.match(questionProblem({ measures: [{ of: "avg", field: "" }] }), /field of the average/);
  assert.equal(questionProblem({ measures: [{ of: "count" }] }), "");
});

const group = (name, count) => ({ key: [name], values: { count } });

test("changes of an answer are applied to the groups that they name", () => {
  const first = applyChanges(null, { reset: true, set: [group("N", 1), group("S", 2)], removed: [], instances: 3 });
  const next = applyChanges(first, { reset: false, set: [group("S", 5), group("W", 1)], removed: [["N"]], instances: 6 });
  assert.deepEqual(next.groups, [group("S", 5), group("W", 1)]);
  assert.equal(next.instances, 6);
});

test("an order that comes with changes is kept to", () => {
  const first = applyChanges(null, { reset: true, set: [group("N", 1), group("S", 2)] });
  assert.deepEqual(applyChanges(first, { set: [], order: [["S"], ["N"]] }).groups, [group("S", 2), group("N", 1)]);
});

test("after a break the answer begins anew", () => {
  const first = applyChanges(null, { reset: true, set: [group("N", 1)] });
  assert.deepEqual(applyChanges(first, { reset: true, set: [group("S", 2)] }).groups, [group("S", 2)]);
});

test("an answer is a table with its groups first", () => {
  const question = { group_by: [{ field: "region" }], measures: [{ of: "count" }, { of: "avg", field: "rpm" }, { of: "max", field: "x", name: "top" }] };
  const table = tableOf({ groups: [{ key: ["N"], values: { count: 2, avg_rpm: 1.5, top: null } }] }, question);
  assert.deepEqual(table, { columns: ["region", "count", "avg_rpm", "top"], groups: 1, rows: [["N", 2, 1.5, null]] });
});

test("a file that is no dashboard is refused in words", () => {
  assert.deepEqual(readDashboard("grid.json", '{"widgets": []}'), { title: "grid", widgets: [] });
  assert.throws(() => readDashboard("grid.json", "{"), /'grid.json' is no JSON/);
  assert.throws(() => readDashboard("grid.json", '{"title": "x"}'), /no list 'widgets'/);
});
