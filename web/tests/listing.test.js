import assert from "node:assert/strict";
import { test } from "node:test";
import { Listing, PAGE } from "../src/listing.js";
import { Selection } from "../src/selection.js";
import { visibleRange } from "../src/virtual.js";

function folderOf(count) {
  const folder = { names: Array.from({ length: count }, (_, index) => `f${index}`), asked: [], errors: [], shown: 0 };
  folder.listing = new Listing({
    fetchPage: async (offset, first) => {
      folder.asked.push(offset);
      if (folder.broken) throw new Error("gone");
      return { entries: folder.names.slice(offset, offset + first).map((name) => ({ name })), total: folder.names.length, revision: folder.names.length };
    },
    onChange: () => { folder.shown += 1; },
    onError: (error) => folder.errors.push(error.message),
  });
  return folder;
}
const settle = () => new Promise((resolve) => { setTimeout(resolve); });

test("only the pages that are looked at are fetched, each once", async () => {
  const { listing, asked } = folderOf(100_000);
  await listing.load(0);
  assert.equal(listing.at(70_000), undefined);
  listing.at(70_001);
  await settle();
  assert.equal(listing.at(70_000).name, "f70000");
  assert.deepEqual(asked, [0, 70_000]);
});

test("a refresh keeps the old in sight until the new is there", async () => {
  const folder = folderOf(3);
  await folder.listing.load(0);
  folder.names.push("new");
  const refreshed = folder.listing.refresh();
  assert.equal(folder.listing.at(0).name, "f0");
  await refreshed;
  assert.equal(folder.listing.total, 4);
  assert.equal(folder.listing.find("new"), 3);
});

test("when names came or went, every page is asked for again", async () => {
  const folder = folderOf(2 * PAGE);
  await folder.listing.load(0);
  await folder.listing.load(1);
  folder.names.unshift("first");
  await folder.listing.refresh();
  folder.listing.at(PAGE);
  await settle();
  assert.equal(folder.listing.at(PAGE).name, `f${PAGE - 1}`);
});

test("a failure is told and can be tried again; a list that was left stays silent", async () => {
  const folder = folderOf(1);
  folder.broken = true;
  await assert.rejects(folder.listing.load(0));
  assert.deepEqual(folder.errors, ["gone"]);
  folder.broken = false;
  await folder.listing.load(0);
  assert.equal(folder.listing.total, 1);
  folder.listing.end();
  folder.broken = true;
  await folder.listing.refresh();
  assert.deepEqual(folder.errors, ["gone"]);
});

test("all but one of a large folder are selected without a list of names", async () => {
  const { listing } = folderOf(1200);
  await listing.load(0);
  const selection = new Selection();
  selection.selectAll();
  selection.toggle({ name: "f3" });
  assert.equal(selection.count(listing.total), 1199);
  const names = (await selection.resolve(listing)).map((entry) => entry.name);
  assert.equal(names.length, 1199);
  assert.ok(!names.includes("f3") && names.includes("f1199"));
});

test("few lines are drawn of however many", () => {
  for (const total of [1, 50, 100_000, 5_000_000]) {
    for (const top of [-300, 0, 1_000_000, 1e12]) {
      const { first, last } = visibleRange({ top, viewHeight: 800, total, columns: 1, lineHeight: 42 });
      assert.ok(first >= 0 && last <= total && last - first < 60, `${total} ${top}: ${first}-${last}`);
    }
  }
});

test("both ends of a list that is taller than browsers allow can be reached", () => {
  const size = { viewHeight: 800, total: 1_000_000, columns: 1, lineHeight: 42 };
  const { height } = visibleRange({ top: 0, ...size });
  const end = visibleRange({ top: height - 800, ...size });
  assert.equal(end.last, 1_000_000);
  assert.ok(Math.abs(999_999 * 42 + end.shift + 42 - height) < 2, "the last line stands at the end");
});
