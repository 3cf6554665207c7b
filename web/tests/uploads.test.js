import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveLink, assetRoot } from "../src/links.js";
import { Speed } from "../src/speed.js";
import { differs } from "../src/upload-memory.js";

test("speed is of the last seconds and survives a retry", () => {
  const speed = new Speed();
  for (let second = 0; second <= 20; second += 1) speed.add(second * 1000, second * 1000);
  assert.equal(speed.perSecond(), 1000);
  assert.equal(speed.secondsLeft(30_000), 10);
  speed.add(5000, 21_000);
  assert.equal(speed.perSecond(), 0);
  assert.equal(speed.secondsLeft(30_000), Infinity);
});

test("only the very same file goes on, and the refusal says why", () => {
  const begun = { name: "a.bin", size: 10, modified: 5 };
  assert.equal(differs({ name: "a.bin", size: 10, lastModified: 5 }, begun), "");
  assert.equal(differs({ name: "other", size: 10, lastModified: 9 }, { name: "", size: 10, modified: 0 }), "");
  assert.match(differs({ name: "a.bin", size: 11, lastModified: 5 }, begun), /has 11 bytes, but .* 10/);
  assert.match(differs({ name: "b.bin", size: 10, lastModified: 5 }, begun), /of 'a.bin', not of 'b.bin'/);
  assert.match(differs({ name: "a.bin", size: 10, lastModified: 6 }, begun), /was changed/);
});

test("links in a text lead beside it or to the web, and nowhere else", () => {
  const path = (href) => resolveLink(href, "ada/data/run");
  assert.deepEqual(path("a%20b.csv"), { kind: "path", path: "ada/data/run/a b.csv" });
  assert.deepEqual(path("./deep/../x?y#z"), { kind: "path", path: "ada/data/run/x" });
  assert.equal(path("https://example.org").kind, "web");
  for (const bad of ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "//evil.example", "/lib/files/bob/x", "\\\\evil", "../../../bob/data/x", "..%2f..%2fbob", "a%00b", "%E0%A4%A", "", "#top"]) {
    assert.equal(path(bad).kind, "none", bad);
  }
});

test("pictures belong to the asset that shows them", () => {
  assert.equal(assetRoot("ada/data/run", true), "ada/data/run");
  assert.equal(assetRoot("ada/data/run/deep/README.md", false), "ada/data/run");
  assert.equal(assetRoot("ada/data/notes.md", false), "ada/data");
});
