// The lines of a log in a box that scrolls: only those that are seen are in the page, whatever their number.

import { element } from "./dom.js";
import { parseLine, rowStarts } from "./run-log-line.js";
import { RowMap } from "./run-log-rows.js";
import { dress } from "./run-log-style.js";

const TALLEST_PX = 8_000_000; // browsers lose precision, or stop, somewhat above
const OVERSCAN = 6;
const MOST_CELLS = 4000; // of a line that is not broken
const PLAIN_ROW = { text: "", spans: [] };

export class LogView {
  // `marks(text)` gives what is to be marked in a line, `current()` the find that is looked at.
  constructor(store, { marks = () => [], current = () => null, onFollow = () => {} } = {}) {
    Object.assign(this, { store, marks, current, onFollow, rows: new RowMap(store), drawn: new Map(), parsed: new Map() });
    Object.assign(this, { following: true, wrapped: false, top: 0, lastScroll: 0, version: 0, pending: 0, known: store.firstLine });
    this.sizer = element("div", { class: "tw-log-lines" });
    this.probe = element("span", { class: "tw-log-probe", "aria-hidden": "true" }, "0".repeat(100));
    this.box = element("div", { id: "log", class: "tw-log-box", tabindex: "0", role: "log", "aria-live": "off", "aria-label": "Output" }, this.sizer, this.probe);
    this.box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.box.addEventListener("wheel", (event) => event.deltaY < 0 && this.follow(false), { passive: true });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("copy", (event) => this.copy(event));
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.box);
  }

  close() {
    this.watch.disconnect();
    cancelAnimationFrame(this.pending);
    clearTimeout(this.settling);
  }

  key(event) {
    if (["ArrowUp", "PageUp", "Home"].includes(event.key)) this.follow(false);
    if (event.key === "End") this.follow(true);
  }

  follow(on) {
    if (this.following === on) return;
    this.following = on;
    this.onFollow(on);
    if (on) this.plan();
  }

  wrap(on) {
    this.wrapped = on;
    this.box.classList.toggle("tw-log-wrapped", on);
    this.keepPlace(() => this.breakLines());
  }

  // Everything is to be drawn anew, as when what is searched has changed.
  redraw() {
    this.version += 1;
    this.plan();
  }

  plan() {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.render());
  }

  // --- geometry --------------------------------------------------------------------

  resized() {
    const { width, height } = this.probe.getBoundingClientRect();
    if (!height) return;
    this.lineHeight = Math.round(height);
    this.charWidth = width / 100;
    this.box.style.setProperty("--tw-log-line", `${this.lineHeight}px`);
    if (this.wrapped) this.keepPlace(() => this.breakLines());
    this.plan();
  }

  breakLines() {
    const space = this.box.clientWidth - 24;
    this.rows.breakAt(this.wrapped && this.charWidth ? Math.max(8, Math.floor(space / this.charWidth)) : Infinity);
    this.rows.update();
    this.version += 1;
  }

  // Do something to the rows, and have the same line on top afterwards.
  keepPlace(work) {
    const { line, part } = this.rows.lineAt(this.rows.first + Math.floor(this.top / (this.lineHeight || 1)));
    work();
    const row = this.rows.rowAt(Math.max(line, this.store.firstLine)) + Math.min(part, this.rows.rowsOf(line) - 1);
    this.goTo((row - this.rows.first) * (this.lineHeight || 1));
  }

  get fullHeight() {
    return (this.rows.end - this.rows.first) * this.lineHeight;
  }

  get scale() {
    const height = Math.min(this.fullHeight, TALLEST_PX);
    return this.fullHeight > height ? (this.fullHeight - this.box.clientHeight) / (height - this.box.clientHeight) : 1;
  }

  // Scroll to a place in the whole list, in pixels of it.
  goTo(place) {
    const lowest = Math.max(0, this.fullHeight - this.box.clientHeight);
    this.top = Math.max(0, Math.min(place, lowest));
    this.sizer.style.height = `${Math.min(this.fullHeight, TALLEST_PX)}px`;
    this.box.scrollTop = this.top / this.scale;
    this.lastScroll = this.box.scrollTop;
    this.plan();
  }

  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.box;
    const by = scrollTop - this.lastScroll;
    if (Math.abs(by) < 1) {
      this.plan(); // sideways, or our own doing
      return;
    }
    this.lastScroll = scrollTop;
    const { scale } = this;
    const atEnd = scrollTop + clientHeight >= scrollHeight - 2;
    // Near is pixel for pixel, however long the list; far is as far as the bar was pulled.
    this.top = scale === 1 || Math.abs(by) > 2 * clientHeight || atEnd || scrollTop <= 0 ? scrollTop * scale : Math.max(0, this.top + by);
    this.follow(atEnd);
    this.plan();
    if (scale === 1) return;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.goTo(this.top), 200);
  }

  // Show a line, with some others around it.
  reveal(line, from = 0) {
    const { columns } = this.rows;
    const row = this.rows.rowAt(line) + (columns === Infinity ? 0 : Math.floor(from / columns)) - this.rows.first;
    const place = row * this.lineHeight;
    this.follow(false);
    if (place < this.top || place + this.lineHeight > this.top + this.box.clientHeight) this.goTo(place - this.box.clientHeight / 2);
    if (columns === Infinity) {
      const left = from * this.charWidth;
      if (left < this.box.scrollLeft || left > this.box.scrollLeft + this.box.clientWidth - 80) this.box.scrollLeft = Math.max(0, left - 80);
    }
  }

  get firstSeen() {
    return this.rows.lineAt(this.rows.first + Math.floor(this.top / (this.lineHeight || 1))).line;
  }

  // --- drawing -----------------------------------------------------------------------

  render() {
    this.pending = 0;
    if (!this.lineHeight || !this.box.isConnected) return;
    if (this.known !== this.store.firstLine) this.dropped();
    this.rows.update();
    const height = `${Math.min(this.fullHeight, TALLEST_PX)}px`;
    if (this.sizer.style.height !== height) this.sizer.style.height = height;
    this.sizer.style.minWidth = this.wrapped ? "" : `${Math.min(this.store.widest, MOST_CELLS) * this.charWidth + 24}px`;
    if (this.following) {
      this.top = Math.max(0, this.fullHeight - this.box.clientHeight);
      this.box.scrollTop = this.box.scrollHeight;
      this.lastScroll = this.box.scrollTop;
    }
    this.place();
  }

  dropped() {
    this.known = this.store.firstLine;
    this.parsed.clear();
    this.keepPlace(() => this.breakLines());
  }

  place() {
    const { first: origin, end } = this.rows;
    const shift = this.lastScroll - this.top;
    const first = Math.max(origin, origin + Math.floor(this.top / this.lineHeight) - OVERSCAN);
    const last = Math.min(end, origin + Math.ceil((this.top + this.box.clientHeight) / this.lineHeight) + OVERSCAN);
    const now = new Map();
    let { line, part } = this.rows.lineAt(first);
    let before = null;
    for (let row = first; row < last; row += 1) {
      const made = this.row(row, line, part);
      if (!made.isConnected) this.sizer.insertBefore(made, before ? before.nextSibling : this.sizer.firstChild);
      before = made;
      made.style.transform = `translateY(${(row - origin) * this.lineHeight + shift}px)`;
      now.set(row, made);
      part += 1;
      if (part >= this.rows.rowsOf(line)) [line, part] = [line + 1, 0];
    }
    for (const [row, old] of this.drawn) if (now.get(row) !== old) old.remove();
    this.drawn = now;
  }

  row(row, line, part) {
    const stamp = `${line}.${part}.${this.version}.${line < this.store.closed ? "" : this.store.size}`;
    const old = this.drawn.get(row);
    if (old?.stamp === stamp) return old;
    const made = element("div", { class: "tw-log-row" });
    made.stamp = stamp;
    made.place = { line, from: this.fill(made, line, part) };
    return made;
  }

  // Put a part of a line into its row; gives where in the line's text the row begins.
  fill(made, line, part) {
    const { text, spans, starts, marks } = this.lineOf(line);
    const from = starts[part] ?? text.length;
    const whole = starts[part + 1] ?? text.length;
    const to = this.wrapped ? whole : Math.min(whole, MOST_CELLS);
    const current = this.current();
    const here = current?.line === line ? current.within : -1;
    const edges = [...marks.entries()].filter(([, [start, end]]) => end > from && start < to);
    for (const span of spans) {
      if (span.to <= from || span.from >= to) continue;
      this.pieces(made, text, { from: Math.max(span.from, from), to: Math.min(span.to, to), style: span.style }, edges, here);
    }
    if (to < whole) made.append(element("span", { class: "tw-log-cut" }, ` … ${(whole - to).toLocaleString("en-GB")} more: wrap the lines to see them`));
    return from;
  }

  pieces(made, text, { from, to, style }, edges, here) {
    let at = from;
    for (const [number, [start, end]] of edges) {
      if (end <= at || start >= to) continue;
      if (start > at) made.append(dressed("span", text.slice(at, start), style));
      const mark = dressed("mark", text.slice(Math.max(at, start), Math.min(to, end)), style);
      mark.classList.add(number === here ? "tw-log-here" : "tw-log-found");
      made.append(mark);
      at = Math.min(to, end);
    }
    if (at < to) made.append(dressed("span", text.slice(at, to), style));
  }

  lineOf(line) {
    const key = `${this.version}.${line < this.store.closed ? "" : this.store.size}`;
    const known = this.parsed.get(line);
    if (known?.key === key) return known;
    if (this.parsed.size > 400) this.parsed.clear();
    const parsed = line < this.store.lineCount ? parseLine(this.store.lineBytes(line), this.store.styleOf(line)) : PLAIN_ROW;
    const made = { ...parsed, key, starts: rowStarts(parsed.text, this.rows.columns), marks: this.marks(parsed.text) };
    this.parsed.set(line, made);
    return made;
  }

  textOf(line) {
    return parseLine(this.store.lineBytes(line), this.store.styleOf(line)).text;
  }

  // What is selected, with line ends where lines end and not where they are broken.
  copy(event) {
    const selection = getSelection();
    if (selection.isCollapsed || !this.box.contains(selection.anchorNode)) return;
    const range = selection.getRangeAt(0);
    const start = this.placeOf(range.startContainer, range.startOffset);
    const end = this.placeOf(range.endContainer, range.endOffset);
    if (!start || !end) return;
    const texts = [];
    for (let line = start.line; line <= end.line; line += 1) {
      const text = this.textOf(line);
      texts.push(text.slice(line === start.line ? start.at : 0, line === end.line ? end.at : text.length));
    }
    event.clipboardData.setData("text/plain", texts.join("\n"));
    event.preventDefault();
  }

  placeOf(node, offset) {
    const row = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node.childNodes[offset] ?? node)?.closest?.(".tw-log-row");
    if (!row?.place) return null;
    const range = document.createRange();
    range.setStart(row, 0);
    if (row.contains(node)) range.setEnd(node, offset);
    return { line: row.place.line, at: row.place.from + range.toString().length };
  }
}

function dressed(tag, text, style) {
  const made = document.createElement(tag);
  dress(made, style);
  made.textContent = text;
  return made;
}
