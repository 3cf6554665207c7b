// The output of a run, live: colours, search, following, download. Lines are drawn by ourselves rather than by a
// terminal (xterm.js): a terminal keeps a grid of cells for every line, which for two million of them is gigabytes.

import { request } from "./api.js";
import { button, element, toast } from "./dom.js";
import { formatSize, plural } from "./format.js";
import { howItEnded, oneRun, showState, startedAt, twinsApi } from "./run-badge.js";
import { LogFeed } from "./run-feed.js";
import { progressOf } from "./run-log-line.js";
import { LogFind } from "./run-log-find.js";
import { LogStore } from "./run-log-store.js";
import { LogView } from "./run-log-view.js";
import { FIGURES, valueInWords } from "./run-values.js";

const SAY_EVERY_MS = 4000;
const LOOK_BACK = 40; // lines in which a percentage is looked for
const MOST_COPIED = 20_000_000;
const CONNECTION = {
  connecting: "connecting …",
  live: "",
  polling: "",
  over: "",
  reconnecting: "reconnecting …",
  stopped: "your workspace is stopped; this goes on when it runs again",
  "signed-out": "your session has ended: reload the page",
  refused: "the workspace refused to show this log",
  gone: "there is no such run",
};

export function openLog(container, run, options = {}) {
  const log = new RunLog(run, options);
  container.replaceChildren(log.root);
  log.start();
  return { close: () => log.close(), focus: () => log.view.box.focus() };
}

class RunLog {
  constructor(run, { api = twinsApi, onState = () => {}, onEnd = () => {}, Socket, mostBytes = navigator.deviceMemory <= 2 ? 100_000_000 : undefined } = {}) {
    Object.assign(this, { run, api, onState, onEnd, Socket, store: new LogStore({ mostBytes }), pending: 0, said: 0, ended: false });
    this.view = new LogView(this.store, {
      marks: (text) => this.find.search.marksIn(text),
      current: () => this.find.here,
      onFollow: (on) => this.followButton.setAttribute("aria-pressed", String(on)),
    });
    this.find = new LogFind(this.store, this.view);
    this.build();
    this.show(run);
  }

  build() {
    this.badge = element("span", { id: "log-state", class: "tw-badge", role: "status" });
    this.connection = element("span", { class: "tw-log-connection", role: "status" });
    this.ending = element("span", { id: "log-end", class: "tw-quiet" });
    this.size = element("span", { class: "tw-quiet tw-log-size" });
    this.bar = element("progress", { max: 100, value: 0, "aria-label": "Progress of the run" });
    this.percent = element("span", {});
    this.progress = element("span", { class: "tw-log-progress", hidden: true }, this.bar, this.percent);
    this.followButton = button("Follow", () => this.view.follow(!this.view.following), { "aria-pressed": "true", title: "Keep the newest line in sight" });
    const wrap = button("Wrap", () => {
      const on = wrap.getAttribute("aria-pressed") !== "true";
      wrap.setAttribute("aria-pressed", String(on));
      this.view.wrap(on);
    }, { "aria-pressed": "false", title: "Break long lines" });
    const tools = element("div", { class: "tw-log-tools", role: "group", "aria-label": "Output" },
      this.followButton, wrap, button("Find", () => this.find.open(), { "aria-keyshortcuts": "Control+F" }),
      button("Copy", () => this.copy()), button("Download", (event) => this.download(event.currentTarget)));
    this.facts = element("dl", { class: "tw-facts" });
    const about = element("details", { class: "tw-log-about" }, element("summary", {}, "About this run"), this.facts);
    this.speaker = element("div", { class: "visually-hidden", "aria-live": "polite" });
    this.root = element("div", { class: "tw-log-panel" },
      element("div", { class: "tw-log-head" }, this.badge, this.progress, this.ending, this.connection, this.size, tools),
      this.find.bar, this.view.box, about, this.speaker);
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  start() {
    this.feed = new LogFeed(this.run, {
      api: this.api,
      Socket: this.Socket,
      onBytes: (bytes) => this.take(bytes),
      onGap: (count) => this.take(new TextEncoder().encode(`\x1b[0m\x1b[3m[${formatSize(count)} of older output are not kept]\x1b[0m\n`)),
      onRun: (run) => this.show(run),
      onState: (state) => this.connected(state),
    });
    this.connection.textContent = CONNECTION.connecting;
  }

  take(bytes) {
    this.store.append(bytes);
    if (!this.pending) this.pending = requestAnimationFrame(() => this.frame());
  }

  // Once a frame, whatever came meanwhile: draw, look for a percentage, go on searching.
  frame() {
    this.pending = 0;
    this.view.plan();
    this.find.plan();
    this.look();
    const { lineCount, size, keptFrom } = this.store;
    this.size.textContent = `${plural(lineCount, "line")}, ${formatSize(size)}${keptFrom ? `; the last ${formatSize(size - keptFrom)} are here, Download has all` : ""}`;
    this.say();
  }

  look() {
    const { lineCount, firstLine } = this.store;
    for (let line = lineCount - 1; line >= Math.max(firstLine, lineCount - LOOK_BACK); line -= 1) {
      const value = this.store.cellsOf(line) < 4000 ? progressOf(this.view.textOf(line)) : null;
      if (value === null) continue;
      this.bar.value = value;
      this.percent.textContent = `${value % 1 ? value.toFixed(1) : value} %`;
      this.progress.hidden = this.run.state !== "running";
      return;
    }
  }

  // Screen readers hear the newest line from time to time, not two hundred a millisecond.
  say() {
    if (!this.view.following || this.store.lineCount === 0 || this.speaking) return;
    const wait = Math.max(500, this.said + SAY_EVERY_MS - Date.now());
    this.speaking = setTimeout(() => {
      this.speaking = 0;
      this.said = Date.now();
      if (this.store.lineCount) this.speaker.textContent = this.view.textOf(this.store.lineCount - 1).slice(0, 300);
    }, wait);
  }

  show(run) {
    const before = this.run;
    this.run = { ...before, ...run };
    showState(this.badge, this.run);
    this.ending.textContent = howItEnded(this.run);
    this.facts.replaceChildren(...factsOf(this.run));
    if (this.run.state !== "running") this.progress.hidden = true;
    if (before.state !== this.run.state) this.onState(this.run);
  }

  connected(state) {
    this.connection.textContent = CONNECTION[state] ?? "";
    this.connection.dataset.state = state;
    if (state !== "over" || this.ended) return;
    this.ended = true;
    this.find.finish();
    this.view.plan();
    if (!this.store.size) this.size.textContent = "no output";
    this.onEnd(this.run);
  }

  key(event) {
    const finds = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "f";
    if (finds || (event.key === "/" && event.target === this.view.box)) {
      event.preventDefault();
      this.find.open();
    } else if (event.key === "Escape" && this.find.isOpen) {
      event.stopPropagation(); // a dialog around it stays
      this.find.hide();
    } else if (event.key === "F3" && this.find.isOpen) {
      event.preventDefault();
      this.find.step(event.shiftKey ? -1 : 1);
    }
  }

  async copy() {
    const { firstLine, lineCount } = this.store;
    let from = lineCount;
    while (from > firstLine && this.store.size - this.store.startOf(from - 1) < MOST_COPIED) from -= 1;
    const texts = [];
    for (let line = from; line < lineCount; line += 1) texts.push(this.view.textOf(line));
    try {
      await navigator.clipboard.writeText(`${texts.join("\n")}\n`);
      toast(from > firstLine ? `The last ${plural(texts.length, "line")} are copied; Download has all.` : `${plural(texts.length, "line")} copied.`);
    } catch {
      toast("The browser does not allow copying here. Select lines and press Ctrl+C, or download.", { kind: "error" });
    }
  }

  // What the page holds, and what it had to let go from the server.
  async download(pressed) {
    pressed.disabled = true;
    try {
      const head = await this.older();
      const blob = new Blob([...head, ...this.store.chunks.map(({ bytes }) => bytes)], { type: "text/plain" });
      const link = element("a", { href: URL.createObjectURL(blob), download: `${this.run.twin} ${this.run.phase} ${this.run.id}.log` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      toast(error.message, { kind: "error" });
    } finally {
      pressed.disabled = false;
    }
  }

  async older() {
    const parts = [];
    for (let offset = 0; offset < this.store.keptFrom;) {
      const answer = await request("GET", this.api(`${oneRun(this.run.id)}/log?offset=${offset}`));
      const next = Number(answer.headers.get("X-Log-Next"));
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (next <= offset) break;
      parts.push(bytes.subarray(0, Math.max(0, bytes.length - Math.max(0, next - this.store.keptFrom))));
      offset = next;
    }
    return parts;
  }

  close() {
    this.feed?.close();
    this.find.close();
    this.view.close();
    clearTimeout(this.speaking);
    cancelAnimationFrame(this.pending);
    this.root.remove();
  }
}

function factsOf(run) {
  const figures = FIGURES.filter(([name]) => name !== "state" && run[name] !== null && run[name] !== undefined && run[name].length !== 0).map(([name, label, words]) => [label, words(run[name])]);
  const all = [["Started", startedAt(run)], ...figures, ["Run", run.id], ...Object.entries(run.parameters ?? {}).map(([name, value]) => [name, valueInWords(value)])];
  return all.flatMap(([label, words]) => [element("dt", {}, label), element("dd", {}, words)]);
}
