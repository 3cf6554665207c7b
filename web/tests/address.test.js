import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, formatAddress, parseAddress, shownPath } from "../src/address.js";

const at = (address) => {
  const url = new URL(address, "http://platform");
  return parseAddress(url.pathname, url.search, "ada");
};

test("a folder's address and what it shows are the same thing", () => {
  const here = at("/app/library/private/data/a%20b/%C3%BC?show=x.csv&ref=main");
  assert.deepEqual([here.view, here.owner, here.category, here.folder, here.show, here.ref], ["folder", "ada", "data", "a b/ü", "x.csv", "main"]);
  assert.equal(formatAddress(here), "/app/library/private/data/a%20b/%C3%BC?show=x.csv&ref=main");
});

test("every character of a path survives the address", () => {
  for (const name of ["a#b?c&d=e", "100%", "a+b", "@home", "ü/x y", "..."]) {
    const here = at(addressOf(`common/data/${name}`, "ada", { isFolder: true, open: true }));
    assert.equal(`${here.owner}/${here.category}/${here.folder}`, `common/data/${name}`);
  }
});

test("an asset is shown in its folder, whoever owns it", () => {
  assert.equal(addressOf("ada/models/deep/x.fmu", "ada"), "/app/library/private/models/deep?show=x.fmu");
  assert.equal(addressOf("common/data/w", "ada", { isFolder: true, open: true }), "/app/library/common/data/w");
  assert.equal(addressOf("bob/data/x", "ada"), "/app/library/@bob/data?show=x");
  assert.equal(at("/app/library/@bob/data").owner, "bob");
  assert.equal(at("/app/library/@ada/data").place, "private");
});

test("the folder itself can be shown", () => {
  assert.equal(shownPath(at("/app/library/private/data/run?show=.")), "ada/data/run");
  assert.equal(shownPath(at("/app/library/private/data/run?show=a")), "ada/data/run/a");
});

test("trash, history and searches are views of their own", () => {
  assert.equal(at("/app/library/trash").view, "trash");
  assert.equal(at("/app/library/history?whose=common").owner, "common");
  assert.equal(at("/app/library/private/data?q=spring").view, "search");
  assert.equal(at("/app/library/private/trash").view, "folder");
});

test("a broken address leads somewhere and never throws", () => {
  for (const address of ["/app/library", "/app/library/", "/app/library/private/%E0%A4%A", "/app/library//data"]) assert.equal(at(address).view, "folder");
});
