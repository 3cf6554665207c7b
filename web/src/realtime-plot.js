// Numeric fields of an instance over time: what history has, then what comes.

import { element } from "./dom.js";
import { PlotChart } from "./plot-chart.js";
import { valuesTable } from "./plot-values.js";

const KEPT = 2000;
const MOST_LINES = 6;
const POINTS = 500;
const SHORTEST_S = 30;
const FIRST_LINES = 2;
const PLACE = /(^|[._])(lat|latitude|lon|lng|long|longitude)(_deg)?$/i; // rarely worth a line
const SPANS = [["300", "last 5 minutes"], ["3600", "last hour"], ["86400", "last day"], ["604800", "last week"]];

export class LivePlot {
  constructor(box, { names, units = new Map(), history = null }) {
    Object.assign(this, { names, units, history, chosen: [...names.filter((name) => !PLACE.test(name)), ...names].slice(0, FIRST_LINES), times: [], values: new Map(names.map((name) => [name, []])), pending: 0, window: null, span: 3600 });
    if (!names.length) {
      box.append(element("p", { class: "tw-quiet" }, "The state has no number that could be plotted."));
      return;
    }
    this.area = element("div", { class: "tw-plot-area" });
    this.note = element("p", { class: "tw-quiet m-0", role: "status" });
    this.table = element("details", { class: "tw-plot-values" }, element("summary", {}, "Values"), element("div", {}));
    this.table.addEventListener("toggle", () => this.fillTable());
    const span = element("select", { class: "form-select form-select-sm", "aria-label": "Time that is shown" }, ...SPANS.map(([value, words]) => element("option", { value, selected: Number(value) === this.span }, words)));
    span.addEventListener("change", () => {
      this.span = Number(span.value);
      this.window = null;
      this.start().catch((error) => { this.note.textContent = error.message; });
    });
    const ticks = names.map((name) => {
      const tick = element("input", { type: "checkbox", class: "form-check-input", checked: this.chosen.includes(name) });
      tick.addEventListener("change", () => this.choose(name, tick.checked));
      return [name, tick];
    });
    this.ticks = new Map(ticks);
    box.append(element("div", { class: "tw-plot-line" }, history ? span : null, element("div", { class: "tw-plot-columns", role: "group", "aria-label": "Fields", tabindex: "0" }, ...ticks.map(([name, tick]) => element("label", { class: "tw-tick" }, tick, this.label(name))))), this.area, this.note, this.table);
    this.chart = new PlotChart(this.area, { title: "Fields over time", onWindow: (from, to) => this.look([from, to]), onReset: () => this.look(null), bounds: () => this.bounds() });
  }

  label(name) {
    const unit = this.units.get(name)?.unit;
    return unit ? `${name} (${unit})` : name;
  }

  bounds() {
    return this.times.length ? [this.times[0], Math.max(this.times.at(-1), this.times[0] + SHORTEST_S)] : [Date.now() / 1000 - 60, Date.now() / 1000];
  }

  look(window) {
    this.window = window;
    this.plan();
  }

  choose(name, on) {
    this.chosen = on ? [...this.chosen, name].slice(-MOST_LINES) : this.chosen.filter((one) => one !== name);
    for (const [other, tick] of this.ticks) tick.checked = this.chosen.includes(other);
    this.start().catch((error) => { this.note.textContent = error.message; });
  }

  // Reads what was before; without it the plot begins now.
  async start() {
    if (!this.chart) return;
    this.control?.abort();
    this.control = new AbortController();
    if (this.history && this.chosen.length) {
      try {
        this.merge(await this.history({ kind: "states", from: Math.floor(Date.now() / 1000) - this.span, fields: this.chosen.join(","), points: POINTS }, this.control.signal));
        this.note.textContent = "";
      } catch (error) {
        if (error.name === "AbortError") return;
        this.note.textContent = `The past cannot be shown: ${error.message}`;
      }
    }
    this.plan();
  }

  // History before what came live meanwhile.
  merge({ times = [], fields = {} }) {
    const live = this.times.map((time, at) => [time, new Map(this.names.map((name) => [name, this.values.get(name)[at]]))]).filter(([time]) => !times.length || time > times.at(-1));
    this.times = [...times];
    for (const name of this.names) this.values.set(name, fields[name] ? [...fields[name]] : new Array(times.length).fill(null));
    for (const [time, values] of live) this.push(time, values);
  }

  add(time, values) {
    if (!this.chart || (this.times.length && time <= this.times.at(-1))) return;
    this.push(time, values);
    this.plan();
  }

  push(time, values) {
    this.times.push(time);
    for (const name of this.names) {
      const value = values.get(name);
      this.values.get(name).push(typeof value === "number" && Number.isFinite(value) ? value : null);
    }
    if (this.times.length <= KEPT) return;
    this.times.shift();
    for (const list of this.values.values()) list.shift();
  }

  plan() {
    if (this.chart && !this.pending) this.pending = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.pending = 0;
    if (!this.times.length || !this.chosen.length) {
      this.chart.clear();
      if (!this.note.textContent) this.note.textContent = this.chosen.length ? "Nothing to plot yet." : "Choose a field.";
      return;
    }
    if (/^(Nothing|Choose)/.test(this.note.textContent)) this.note.textContent = "";
    if (!this.chart.busy) this.chart.draw({ ...this.shown(), log: false, window: this.window });
    if (this.table.open) this.fillTable();
  }

  shown() {
    return { x: this.times, lines: this.chosen.map((name) => ({ name: this.label(name), values: this.values.get(name) })), along: "time", time: true };
  }

  fillTable() {
    if (this.table.open && this.times.length) this.table.lastChild.replaceChildren(valuesTable(this.shown()));
  }

  close() {
    cancelAnimationFrame(this.pending);
    this.control?.abort();
    this.chart?.close();
  }
}
