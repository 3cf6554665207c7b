// Finding a text in the whole output, a piece at a time, so that a page with two million lines goes on moving.

import { ORDERS, decode, parseLine } from "./run-log-line.js";

const PIECE = 256 * 1024;
// eslint-disable-next-line no-control-regex
const ODD = /\r(?!\n|$)|\x08|\x1b\[[0-9;]*[KCDG]/;

export class LogSearch {
  constructor(store) {
    this.store = store;
    this.set("", false);
  }

  set(text, matchCase) {
    this.pattern = text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), matchCase ? "g" : "gi") : null;
    this.next = this.store.firstLine;
    this.lines = []; // lines that hold it, in order
    this.before = []; // how many finds stand before each of them
    this.total = 0;
  }

  get done() {
    return !this.pattern || this.next >= this.store.closed;
  }

  // Look through more of the finished lines for so many milliseconds; tells whether something was looked at.
  step(milliseconds) {
    if (this.done) return false;
    const until = performance.now() + milliseconds;
    this.next = Math.max(this.next, this.store.firstLine);
    while (!this.done && performance.now() < until) this.piece();
    return true;
  }

  // The last line too, when nothing more comes.
  finish() {
    const { closed, lineCount } = this.store;
    if (this.pattern && this.next === closed && lineCount > closed) {
      this.line(closed);
      this.next = lineCount;
    }
  }

  piece() {
    const { store } = this;
    const first = this.next;
    const from = store.startOf(first);
    let last = first + 1;
    let step = 64;
    while (last < store.closed && store.startOf(last) - from < PIECE) last = Math.min(store.closed, last + (step *= 2));
    const raw = decode(store.slice(from, store.startOf(last)));
    const text = raw.includes("\x1b") ? raw.replace(ORDERS, "") : raw;
    this.next = last;
    this.pattern.lastIndex = 0;
    if (ODD.test(raw)) this.each(first, last);
    else if (this.pattern.test(text) && !this.whole(text, first, last)) this.each(first, last);
  }

  // All finds of a piece at once; false when its lines are not those between its line ends.
  whole(text, first, last) {
    const finds = [];
    let line = first;
    let seen = 0;
    this.pattern.lastIndex = 0;
    for (let found = this.pattern.exec(text); found; found = this.pattern.exec(text)) {
      for (let end = text.indexOf("\n", seen); end >= 0 && end < found.index; end = text.indexOf("\n", seen)) {
        line += 1;
        seen = end + 1;
      }
      finds.push(line);
    }
    for (let end = text.indexOf("\n", seen); end >= 0; end = text.indexOf("\n", seen)) {
      line += 1;
      seen = end + 1;
    }
    if (line !== last) return false;
    finds.forEach((at) => this.note(at));
    return true;
  }

  each(first, last) {
    for (let line = first; line < last; line += 1) this.line(line);
  }

  line(line) {
    const { text } = parseLine(this.store.lineBytes(line), this.store.styleOf(line));
    for (let count = this.marksIn(text).length; count > 0; count -= 1) this.note(line);
  }

  note(line) {
    if (this.lines.at(-1) !== line) {
      this.lines.push(line);
      this.before.push(this.total);
    }
    this.total += 1;
  }

  // Where it stands in a line's text: [from, to] of each.
  marksIn(text) {
    return this.pattern ? Array.from(text.matchAll(this.pattern), ({ index, 0: { length } }) => [index, index + length]) : [];
  }

  // The find with a number: its line, and which of the line's finds it is.
  find(number) {
    let low = 0;
    let high = this.lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.before[middle] <= number) low = middle;
      else high = middle - 1;
    }
    return { line: this.lines[low], within: number - this.before[low] };
  }

  // The first find at a line or below it; the first of all when there is none.
  firstFrom(line) {
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle] < line) low = middle + 1;
      else high = middle;
    }
    return low < this.lines.length ? this.before[low] : 0;
  }
}
