// All runs of a twin: filtered, compared two by two, run again.

import { request, requestJson } from "./api.js";
import { button, element } from "./dom.js";
import { formatDuration, formatSize, plural } from "./format.js";
import { oneRun, startedAt, stateBadge, twinsApi } from "./run-badge.js";
import { valuesInWords, varying } from "./run-values.js";

const PAGE = 200;
const MOST = 1000;
const STATES = ["running", "succeeded", "failed", "stopped", "interrupted"];

export function showHistory(container, twin, { api = twinsApi, onOpen = () => {}, onCompare = () => {}, onReplay = () => {} } = {}) {
  const history = new History(twin, { api, onOpen, onCompare, onReplay });
  container.replaceChildren(history.root);
  history.load();
  return { refresh: () => history.refresh(), close: () => history.close() };
}

class History {
  constructor(twin, { api, onOpen, onCompare, onReplay }) {
    Object.assign(this, { twin, api, onOpen, onCompare, onReplay, runs: new Map(), rows: new Map(), chosen: [], limit: PAGE, verdicts: new Map(), abort: new AbortController() });
    this.phase = this.select("Phase", ["all phases"]);
    this.state = this.select("State", ["all states", ...STATES]);
    this.count = element("span", { class: "tw-quiet", role: "status" }, "looking …");
    this.compareButton = button("Compare", () => this.compare(), { disabled: true, title: "Choose two runs" });
    this.body = element("tbody", {});
    this.more = button("Show older runs", () => this.older(), { kind: "link", hidden: true });
    const head = ["", "Started", "Phase", "State", "Took", "Memory", "With", ""].map((text, at) => element("th", { scope: "col" }, text || element("span", { class: "visually-hidden" }, at ? "Actions" : "Choose")));
    this.root = element("section", { class: "tw-history", "aria-label": `Runs of ${twin}` },
      element("div", { class: "tw-history-tools" }, this.phase, this.state, this.count, this.compareButton),
      element("div", { class: "tw-scroll" }, element("table", { class: "tw-list tw-stacked tw-runs" }, element("thead", {}, element("tr", {}, ...head)), this.body)), this.more);
  }

  select(label, words) {
    const options = words.map((word, at) => element("option", { value: at ? word : "" }, word));
    const made = element("select", { class: "form-select form-select-sm", "aria-label": label }, ...options);
    made.addEventListener("change", () => this.filter());
    return made;
  }

  address(limit, before = "") {
    return this.api(`runs?twin=${encodeURIComponent(this.twin)}&limit=${limit}${before ? `&before=${encodeURIComponent(before)}` : ""}`);
  }

  async fetch(limit, before) {
    const { runs } = await requestJson("GET", this.address(limit, before), { signal: this.abort.signal });
    for (const run of runs) this.runs.set(run.id, run);
    return runs.length === limit;
  }

  async load() {
    try {
      this.hasMore = await this.fetch(PAGE);
      this.draw();
    } catch (error) {
      this.fail(error);
    }
  }

  async older() {
    this.limit += PAGE;
    try {
      if (this.hasMore && this.matching().length < this.limit) await this.fetchOlder();
      this.draw();
    } catch (error) {
      this.fail(error);
    }
  }

  async fetchOlder() {
    const [oldest] = [...this.runs.keys()].sort();
    this.hasMore = await this.fetch(this.filtered ? MOST : PAGE, oldest);
  }

  async refresh() {
    try {
      const more = await this.fetch(Math.min(50, PAGE));
      this.hasMore ??= more;
      this.draw();
    } catch (error) {
      this.fail(error);
    }
  }

  get filtered() {
    return Boolean(this.phase.value || this.state.value);
  }

  // Who looks for the rare ones wants them found among all.
  async filter() {
    this.limit = PAGE;
    this.draw();
    try {
      if (this.filtered && this.hasMore && this.runs.size < MOST) await this.fetchOlder();
      this.draw();
    } catch (error) {
      this.fail(error);
    }
  }

  matching() {
    const runs = [...this.runs.values()].filter(({ phase, state }) => (!this.phase.value || phase === this.phase.value) && (!this.state.value || state === this.state.value));
    return runs.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  draw() {
    this.phases();
    const found = this.matching();
    const runs = found.slice(0, this.limit);
    this.varied = varying([...this.runs.values()].map(({ parameters }) => parameters ?? {}));
    const varied = [...this.varied].join();
    const kept = new Map();
    const rows = runs.map((run) => {
      const told = JSON.stringify([run, this.verdicts.get(run.id) ?? null, varied]);
      const old = this.rows.get(run.id);
      const row = old?.told === told ? old : { told, element: this.row(run) };
      kept.set(run.id, row);
      return row.element;
    });
    this.place(rows);
    this.rows = kept;
    this.more.hidden = !this.hasMore && runs.length === found.length;
    this.count.textContent = found.length ? `${plural(found.length, "run")}${this.hasMore ? " so far" : ""}` : this.filtered && this.runs.size ? "no such runs" : "no runs yet";
    this.verdict(runs);
  }

  // Rows that have not changed stay as they are, and so does the focus.
  place(rows) {
    const focus = document.activeElement?.closest?.("tr")?.dataset.run;
    const action = document.activeElement?.dataset?.action;
    const wanted = new Set(rows);
    for (const old of [...this.body.children]) if (!wanted.has(old)) old.remove();
    let next = this.body.firstChild;
    for (const row of rows) {
      if (row === next) next = next.nextSibling;
      else this.body.insertBefore(row, next);
    }
    if (focus && action && !this.body.contains(document.activeElement)) this.body.querySelector(`tr[data-run="${CSS.escape(focus)}"] [data-action="${action}"]`)?.focus();
  }

  phases() {
    const known = new Set([...this.phase.options].map(({ value }) => value));
    for (const { phase } of this.runs.values()) {
      if (known.has(phase)) continue;
      known.add(phase);
      this.phase.append(element("option", { value: phase }, phase));
    }
  }

  row(run) {
    const when = startedAt(run);
    const tick = element("input", { type: "checkbox", class: "form-check-input", "data-action": "choose", checked: this.chosen.includes(run.id), "aria-label": `Choose the run of ${when}` });
    tick.addEventListener("change", () => this.choose(run.id, tick.checked));
    const about = [valuesInWords(run.parameters, this.varied), run.sweep ? `sweep ${run.sweep}` : "", run.reason ?? ""].filter(Boolean).join("; ");
    return element("tr", { "data-run": run.id },
      element("td", { class: "tw-check" }, tick), element("td", { class: "tw-time" }, when), element("td", {}, run.phase),
      element("td", {}, stateBadge(run), this.replayed(run)), element("td", { class: "tw-run-figure" }, formatDuration(run.duration_s)),
      element("td", { class: "tw-run-figure" }, run.peak_memory_bytes ? formatSize(run.peak_memory_bytes) : ""), element("td", { class: "tw-run-about" }, about),
      element("td", { class: "tw-actions" },
        button("Log", () => this.onOpen(this.runs.get(run.id) ?? run), { kind: "link", "data-action": "log", "aria-label": `Log of the run of ${when}` }),
        run.state === "running" ? null : button("Replay", (event) => this.replay(run, event.currentTarget), { kind: "link", "data-action": "replay", title: "Run it again with what it had then, and compare", "aria-label": `Replay the run of ${when}` })));
  }

  replayed(run) {
    if (!run.replay_of) return null;
    const verdict = this.verdicts.get(run.id);
    const words = verdict?.words ?? "replay";
    return element("button", { class: "tw-badge tw-replay", type: "button", "data-action": "verdict", "data-state": verdict?.state ?? "none", title: "Compare with the run that it repeats", onclick: () => this.onCompare(this.runs.get(run.replay_of) ?? { id: run.replay_of }, run) }, words);
  }

  // What became of replays that have ended: asked for once each.
  async verdict(runs) {
    const open = runs.filter((run) => run.replay_of && run.state !== "running" && !this.verdicts.has(run.id)).slice(0, 20);
    for (const run of open) {
      this.verdicts.set(run.id, null);
      try {
        const found = await requestJson("GET", this.api(`${oneRun(run.id)}/comparison`), { signal: this.abort.signal });
        this.verdicts.set(run.id, verdictOf(found));
      } catch (error) {
        if (error.name === "AbortError") return;
        this.verdicts.set(run.id, { words: "replay, not compared", state: "none" });
      }
    }
    if (open.length) this.draw();
  }

  choose(id, on) {
    this.chosen = on ? [...this.chosen, id].slice(-2) : this.chosen.filter((other) => other !== id);
    for (const tick of this.body.querySelectorAll("[data-action='choose']")) tick.checked = this.chosen.includes(tick.closest("tr").dataset.run);
    this.compareButton.disabled = this.chosen.length !== 2;
  }

  // The older of the two stands at the left.
  compare() {
    const [one, other] = [...this.chosen].sort().map((id) => this.runs.get(id));
    this.onCompare(one, other);
  }

  async replay(run, pressed) {
    pressed.disabled = true;
    try {
      const answer = await request("POST", this.api(`${oneRun(run.id)}/replay`), { json: {} });
      const { run: made } = await answer.json();
      await this.refresh();
      this.onReplay(typeof made === "string" ? await requestJson("GET", this.api(oneRun(made))) : made);
    } catch (error) {
      this.fail(error);
    } finally {
      pressed.disabled = false;
    }
  }

  fail(error) {
    if (error.name !== "AbortError") this.count.textContent = error.message;
  }

  close() {
    this.abort.abort();
    this.root.remove();
  }
}

export function verdictOf(comparison) {
  return comparison.agrees ? { words: "replay: the same", state: "succeeded" } : { words: "replay: differs", state: "failed" };
}
