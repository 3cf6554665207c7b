import assert from "node:assert/strict";
import { test } from "node:test";
import { keepChoices, leftWords, localInput } from "../src/keep.js";
import { endWords, memoryWords, profileWords, sizeWords } from "../src/workbench-words.js";

const NOON = new Date(2026, 10, 21, 12, 0);

test("nothing beyond what the platform allows is offered", () => {
  assert.deepEqual(keepChoices(NOON, 72).map(([label]) => label), ["1 hour", "4 hours", "Tonight, 22:00", "Tomorrow, 8:00"]);
  assert.deepEqual(keepChoices(NOON, 4).map(([label]) => label), ["1 hour", "4 hours"]);
  assert.deepEqual(keepChoices(NOON, 0), []);
});

test("late in the evening tonight is no choice", () => {
  assert.ok(!keepChoices(new Date(2026, 10, 21, 21, 30), 72).some(([label]) => label.startsWith("Tonight")));
});

test("a time for the browser's own field is the person's, not UTC", () => {
  assert.equal(localInput(NOON), "2026-11-21T12:00");
});

test("time left is told in words of its size", () => {
  const at = (seconds) => new Date(NOON.getTime() + 1000 * seconds).toISOString();
  assert.equal(leftWords(at(45), NOON.getTime()), "45 s");
  assert.equal(leftWords(at(-5), NOON.getTime()), "0 s");
  assert.equal(leftWords(at(600), NOON.getTime()), "10 min");
  assert.equal(leftWords(at(7200), NOON.getTime()), "2 h");
});

test("the end of a workspace is one sentence", () => {
  const at = new Date(NOON.getTime() + 600_000).toISOString();
  assert.match(endWords({ stops_at: null }), /No limit/);
  assert.match(endWords({ stops_at: at, stop_reason: "idle", warned: true }, NOON.getTime()), /Stops in 10 min unless/);
  assert.match(endWords({ stops_at: at, stop_reason: "idle", keep_until: at }, NOON.getTime()), /Kept until/);
  assert.match(endWords({ stops_at: at, stop_reason: "time_limit" }, NOON.getTime()), /as long as it may/);
});

test("memory counts as its limits do", () => {
  assert.equal(memoryWords(2 ** 31), "2.0 GiB");
  assert.equal(memoryWords(116_621_312), "111 MiB");
  assert.equal(sizeWords("512M"), "512 MiB");
});

test("a profile is told in words", () => {
  const words = profileWords({ memory: "8G", cpus: 1, disk_gb: null, image: "full", idle_stop_minutes: 0, longest_hours: 12 });
  assert.equal(words, "8 GiB memory, 1 core, no disk limit, image 'full', does not stop when idle, runs for at most 12 h");
});
