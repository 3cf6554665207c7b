import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, nextPhase, standing, tabOfPhase } from "../src/twin-phases.js";
import { parseTwinAddress, twinAddress } from "../src/twins-address.js";

const twin = (name, last = null, running = []) => ({ name, title: name, description: "", phases: ["create", "execute", "analyze", "clean"], running, last_run: last, problems: [] });
const run = (phase, state, started = "2026-01-01T00:00:00Z") => ({ id: `${phase}-1`, phase, state, started });

test("every address leads back to the same view", () => {
  for (const address of ["/app/digitaltwins", "/app/digitaltwins?q=a+b&sort=run", "/app/digitaltwins/a%20b%2Fc/execute?run=1", "/app/digitaltwins/%C3%BC"]) {
    const url = new URL(address, "http://platform");
    assert.equal(twinAddress(parseTwinAddress(url.pathname, url.search)), address);
  }
});

test("an unknown tab or a broken name is no tab and no crash", () => {
  assert.equal(parseTwinAddress("/app/digitaltwins/x/nonsense", "").tab, "");
  assert.equal(parseTwinAddress("/app/digitaltwins/%E0%A4%A", "").twin, "%E0%A4%A");
});

test("the next step is the one that most people want", () => {
  assert.equal(nextPhase(twin("t")), "create");
  assert.equal(nextPhase(twin("t", run("create", "succeeded"))), "execute");
  assert.equal(nextPhase(twin("t", run("execute", "succeeded"))), "analyze");
  assert.equal(nextPhase(twin("t", run("execute", "failed"))), "execute");
  assert.equal(nextPhase(twin("t", run("clean", "succeeded"))), "create");
  assert.equal(nextPhase({ phases: ["terminate"], last_run: null }), "terminate");
  assert.equal(nextPhase({ phases: [], last_run: null }), "");
});

test("what runs says how a twin stands", () => {
  assert.equal(standing(twin("t")).words, "not run yet");
  assert.equal(standing(twin("t", run("create", "failed"), [run("execute", "running")])).words, "execute running");
  assert.equal(standing(twin("t", null, [run("execute", "running"), run("save", "running")])).words, "2 phases running");
  assert.equal(standing(twin("t", null, [run("execute", "running"), run("execute", "running")])).words, "execute running, 2 runs");
  assert.equal(tabOfPhase("clean"), "create");
});

test("a search finds names, states and words in any order", () => {
  const all = [twin("Tank 10"), twin("Tank 2", run("execute", "failed")), twin("beam", null, [run("execute", "running")])];
  const names = (wish) => arrange(all, wish).map(({ name }) => name);
  assert.deepEqual(names({}), ["beam", "Tank 2", "Tank 10"]);
  assert.deepEqual(names({ words: "failed tank" }), ["Tank 2"]);
  assert.deepEqual(names({ order: "state" }), ["beam", "Tank 2", "Tank 10"]);
  assert.deepEqual(names({ words: "nothing" }), []);
});
