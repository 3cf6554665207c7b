import assert from "node:assert/strict";
import { test } from "node:test";
import { cellsOf, parseLine, progressOf, rowStarts } from "../src/run-log-line.js";
import { RowMap } from "../src/run-log-rows.js";
import { LogSearch } from "../src/run-log-search.js";
import { LONGEST_LINE, LogStore } from "../src/run-log-store.js";
import { PLAIN, contrast, readable, rgbOf, withCodes } from "../src/run-log-style.js";

const bytes = (text) => new TextEncoder().encode(text);

function stored(text, size = Infinity, options = {}) {
  const store = new LogStore(options);
  const all = typeof text === "string" ? bytes(text) : text;
  for (let at = 0; at < all.length; at += Math.min(size, all.length)) store.append(all.slice(at, at + Math.min(size, all.length)));
  return store;
}

const lineOf = (store, line) => parseLine(store.lineBytes(line), store.styleOf(line));
const linesOf = (store) => Array.from({ length: store.lineCount - store.firstLine }, (_, at) => lineOf(store, store.firstLine + at).text);

const STRANGE = "plain\r\n\x1b[1;31mred\nstill red\x1b[0m über 漢字 😀\n\n10%\r 50%\r100% done\na\tb\x07\x1b]0;title\x07c\nlast";
const SEEN = ["plain", "red", "still red über 漢字 😀", "", "100% done", "a       b␇c", "last"];

test("lines, their widths and colours are the same in pieces of any size", () => {
  const whole = stored(STRANGE);
  for (let size = 1; size <= 40; size += 1) {
    const store = stored(STRANGE, size);
    assert.deepEqual(linesOf(store), SEEN, `pieces of ${size}`);
    for (let line = 0; line < SEEN.length; line += 1) {
      assert.equal(store.cellsOf(line), whole.cellsOf(line));
      assert.deepEqual(store.styleOf(line), whole.styleOf(line));
    }
  }
});

test("a colour goes on in the next line until it is ended", () => {
  const store = stored("\x1b[32mgreen\nalso\x1b[39m no\nplain");
  assert.equal(lineOf(store, 1).spans[0].style.fg, 2);
  assert.equal(lineOf(store, 1).spans[1].style.fg, null);
  assert.deepEqual(store.styleOf(2), PLAIN);
});

test("the index never counts fewer cells than a line shows, whatever the bytes", () => {
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const choices = [..."ab \t\r\b\x1b[;0123mKCG", "漢", "é", "😀", "\x1b[1m", "\x1b[2K", "\x1b[5C", "\x1b[1 q", "\x1b]0;t", "\x07", "\x1b\\", "\u202e", "\x9b"].map(bytes).concat([new Uint8Array([0xff]), new Uint8Array([0xe6, 0xbc])]);
  for (let round = 0; round < 3000; round += 1) {
    const parts = Array.from({ length: 1 + random(40) }, () => [...choices[random(choices.length)]]).flat();
    const store = stored(new Uint8Array(parts), 1 + random(9));
    if (!store.lineCount) continue;
    const { text, spans } = lineOf(store, 0);
    const cells = [...text].reduce((sum, letter) => sum + cellsOf(letter.codePointAt(0)), 0);
    assert.ok(cells <= store.cellsOf(0), `${JSON.stringify(text)} takes ${cells}, index says ${store.cellsOf(0)}`);
    assert.equal(spans.map(({ from, to }) => text.slice(from, to)).join(""), text);
  }
});

test("what a carriage return wrote over is not shown, and what was longer stays", () => {
  assert.equal(lineOf(stored("abcdef\rXY"), 0).text, "XYcdef");
  assert.equal(lineOf(stored("abcdef\r\x1b[KXY"), 0).text, "XY");
  assert.equal(lineOf(stored("ab漢\rabX"), 0).text, "abX ");
  assert.equal(lineOf(stored("spin |\b/\b-\b\\"), 0).text, "spin \\");
});

test("hostile output is only text: nothing hidden, nothing turned around", () => {
  const { text } = lineOf(stored("\u202eevil\u2066 \x00 <script>alert(1)</script>\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07\x1b[2J\x1b[?25l\x1bcend"), 0);
  assert.equal(text, "\ufffdevil\ufffd ␀ <script>alert(1)</script>linkend");
});

test("an escape that never ends swallows no more than its line", () => {
  assert.deepEqual(linesOf(stored("\x1b]0;never ended\nseen\n\x1b[12\nseen too")), ["", "seen", "", "seen too"]);
});

test("a line without end becomes lines of bounded length, and nothing of it is lost", () => {
  const store = stored("x".repeat(LONGEST_LINE * 3 + 10), 10_000);
  assert.ok(store.lineCount >= 3);
  assert.equal(linesOf(store).join("").length, LONGEST_LINE * 3 + 10);
  assert.ok(linesOf(store).every((text) => text.length <= LONGEST_LINE + 1));
});

test("an hour of a progress bar is one line that shows where it is now", () => {
  const store = stored(Array.from({ length: 20_000 }, (_, at) => `\r${(at / 201).toFixed(2)}% working`).join(""), 5000);
  assert.equal(store.lineCount, 1);
  assert.equal(lineOf(store, 0).text, "99.50% working");
  assert.ok(store.lineBytes(0).length <= LONGEST_LINE + 1);
});

test("what is too much for a page is let go in whole lines, and the rest keeps its numbers", () => {
  const store = stored(Array.from({ length: 50_000 }, (_, at) => `line ${at}\n`).join(""), 1000, { mostBytes: 100_000 });
  assert.ok(store.size - store.keptFrom <= 101_000);
  assert.ok(store.firstLine > 30_000);
  assert.equal(lineOf(store, store.firstLine).text, `line ${store.firstLine}`);
  assert.equal(lineOf(store, 49_999).text, "line 49999");
});

test("two million lines are taken in at a speed that leaves the page time to move", () => {
  const piece = bytes(Array.from({ length: 4000 }, (_, at) => `2026-01-01 12:00:00 INFO step ${at} of the run, value ${at * 1.5}\n`).join(""));
  const store = new LogStore();
  const begin = performance.now();
  for (let count = 0; count < 500; count += 1) store.append(piece);
  const took = performance.now() - begin;
  assert.equal(store.lineCount, 2_000_000);
  assert.ok(took < 4000, `${took.toFixed(0)} ms for 10 s of output`);
});

test("rows of broken lines and lines of rows agree", () => {
  const texts = Array.from({ length: 5000 }, (_, at) => "y".repeat((at * 37) % 95));
  const store = stored(texts.join("\n"), 777);
  for (const columns of [8, 20, Infinity]) {
    const rows = new RowMap(store, columns);
    rows.update();
    let row = 0;
    for (let line = 0; line < texts.length; line += 1) {
      assert.equal(rows.rowAt(line), row);
      const count = Number.isFinite(columns) ? Math.max(1, Math.ceil(texts[line].length / columns)) : 1;
      if (line % 50 === 0) for (let part = 0; part < count; part += 1) assert.deepEqual(rows.lineAt(row + part), { line, part });
      row += count;
    }
    assert.equal(rows.end, row);
  }
});

test("rows that come while one looks on are counted once", () => {
  const store = new LogStore();
  const rows = new RowMap(store, 10);
  for (let count = 0; count < 3000; count += 1) {
    store.append(bytes(`${"z".repeat(count % 25)}\n`));
    rows.update();
  }
  const fresh = new RowMap(store, 10);
  fresh.update();
  assert.equal(rows.end, fresh.end);
  assert.equal(rows.rowAt(2999), fresh.rowAt(2999));
});

test("rows are broken where columns end, wide letters counting two", () => {
  assert.deepEqual(rowStarts("abcdefgh", 3), [0, 3, 6]);
  assert.deepEqual(rowStarts("漢字漢字a", 4), [0, 2, 4]);
  assert.deepEqual(rowStarts("a😀b", 2), [0, 1, 3]);
  assert.deepEqual(rowStarts("", 5), [0]);
});

function search(text, wanted, matchCase = false) {
  const store = stored(text, 97);
  const found = new LogSearch(store);
  found.set(wanted, matchCase);
  while (found.step(5));
  found.finish();
  return found;
}

test("a text is found in each of its lines and counted each time", () => {
  const found = search(`error error\nnothing\n${"fill\n".repeat(5000)}an \x1b[31mERR\x1b[0mOR\nerror`, "error");
  assert.deepEqual(found.lines, [0, 5002, 5003]);
  assert.equal(found.total, 4);
  assert.deepEqual(found.find(1), { line: 0, within: 1 });
  assert.deepEqual(found.find(3), { line: 5003, within: 0 });
  assert.equal(found.firstFrom(10), 2);
  assert.equal(search("error ERROR", "ERROR", true).total, 1);
});

test("what is looked for is text, not a pattern, and is found in what a terminal would show", () => {
  assert.equal(search("a.b axb\n", "a.b").total, 1);
  assert.equal(search("(x+x+)+y\n", "(x+x+)+y").total, 1);
  assert.equal(search("abc\rX\nabc\n", "Xbc").total, 1);
  assert.equal(search("abc\r\nabc\n", "abc").total, 2);
});

test("a line longer than a line may be is searched too", () => {
  const found = search(`${"x".repeat(LONGEST_LINE * 1.5)}needle\nneedle\n`, "needle");
  assert.equal(found.total, 2);
});

test("colours of all kinds are read", () => {
  assert.equal(withCodes(PLAIN, "38;5;196").fg, 196);
  assert.equal(withCodes(PLAIN, "38;2;1;2;3").fg, 0x1000000 + 0x010203);
  assert.equal(withCodes(PLAIN, "48:2::1:2:3").bg, 0x1000000 + 0x010203);
  assert.deepEqual(withCodes(withCodes(PLAIN, "1;4;95;101"), ""), { ...PLAIN });
  assert.equal(withCodes(PLAIN, "38;5;999").fg, null);
  assert.deepEqual(withCodes(PLAIN, ">4;1"), PLAIN);
  assert.equal(withCodes(PLAIN, "38;5;196;1").bold, true);
});

test("every colour can be read on light and on dark", () => {
  for (let colour = 16; colour < 256; colour += 1) {
    for (const page of [0xfbfcfe, 0x151b23]) assert.ok(contrast(readable(rgbOf(colour), page), page) >= 4.5, `colour ${colour}`);
  }
});

test("a percentage is progress, other numbers are not", () => {
  assert.equal(progressOf("step 3 of 10: 37.5 %"), 37.5);
  assert.equal(progressOf(" 12%|####      | 12/100 [00:01<00:09]"), 12);
  assert.equal(progressOf("10% then 20%"), 20);
  assert.equal(progressOf("100%"), 100);
  assert.equal(progressOf("humidity 250 %"), null);
  assert.equal(progressOf("version 1.2.3"), null);
  assert.equal(progressOf("-5%"), null);
});
