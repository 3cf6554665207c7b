// A table as a plot that one can go into: the server gives what can be seen of a window, and each window anew.

import { button, debounce, element } from "./dom.js";
import { plural } from "./format.js";
import { PlotChoices } from "./plot-choices.js";
import { PlotChart } from "./plot-chart.js";
import { savePicture } from "./plot-picture.js";
import { tableSource, valuesSource } from "./plot-source.js";
import { valuesTable } from "./plot-values.js";
import { twinsApi } from "./run-badge.js";

const AT_FIRST = 3;
const FEWEST_POINTS = 200;
const MOST_POINTS = 2000;

export function showPlot(container, { twin, path, title = path, api = twinsApi, ...wishes }) {
  return open(container, tableSource({ api, twin, path }), { title, ...wishes });
}

// Draw numbers that are here already: [{name, values}], the first along the axis unless `x` names another.
export function showValues(container, { columns, title, ...wishes }) {
  return open(container, valuesSource(columns), { title, ...wishes });
}

function open(container, source, wishes) {
  const plot = new Plot(source, wishes);
  container.replaceChildren(plot.root);
  plot.start();
  return { refresh: () => plot.refresh(), close: () => plot.close() };
}

class Plot {
  constructor(source, { title, columns = null, x = null }) {
    Object.assign(this, { source, title, x, chosen: columns, window: null, log: false, about: null, abort: new AbortController() });
    this.note = element("p", { class: "tw-quiet tw-plot-note", role: "status" }, "reading …");
    this.area = element("div", { class: "tw-plot-area" });
    this.tools = element("div", { class: "tw-plot-tools", role: "group", "aria-label": "View" });
    this.choicesBox = element("div", {});
    this.table = element("details", { class: "tw-plot-values" }, element("summary", {}, "Values as a table"));
    this.table.addEventListener("toggle", () => this.fillTable());
    this.root = element("figure", { class: "tw-plot-panel", "aria-label": `Plot of ${title}` },
      element("div", { class: "tw-plot-head" }, element("figcaption", { class: "h6" }, title), this.tools), this.choicesBox, this.area, this.note, this.table);
    this.soon = debounce(() => this.read(), 120);
    this.again = debounce(() => this.grow(), 300);
  }

  async start() {
    try {
      this.about = await this.source.describe(this.x, this.abort.signal);
    } catch (error) {
      this.fail(error);
      return;
    }
    const numbers = this.numbers();
    if (!numbers.length) {
      this.fail(new Error("This table has no column with numbers."));
      return;
    }
    this.chosen = (this.chosen ?? []).filter((name) => numbers.includes(name));
    if (!this.chosen.length) this.chosen = numbers.filter((name) => name !== this.about.x_column).slice(0, AT_FIRST);
    this.area.hidden = this.table.hidden = false;
    this.chart = new PlotChart(this.area, {
      title: this.title,
      onWindow: (from, to) => this.look(from, to),
      onReset: () => this.reset(),
      bounds: () => this.about.x_range ?? [0, 1],
    });
    this.build();
    await this.read();
  }

  numbers() {
    return this.about.columns.filter(({ kind }) => kind !== "text").map(({ name }) => name);
  }

  build() {
    this.choices = new PlotChoices({
      columns: this.about.columns,
      x: this.about.x_column,
      chosen: this.chosen,
      onX: (x) => this.along(x),
      onChosen: (chosen) => {
        this.chosen = chosen;
        this.read();
      },
    });
    this.choicesBox.replaceChildren(this.choices.root);
    const logarithmic = button("log y", () => {
      this.log = !this.log;
      logarithmic.setAttribute("aria-pressed", String(this.log));
      this.draw();
    }, { "aria-pressed": "false", title: "Logarithmic axis" });
    this.resetButton = button("Show all", () => this.reset(), { disabled: true, title: "Show everything (double click)" });
    this.tools.replaceChildren(
      button("+", () => this.chart.zoom(0.5), { "aria-label": "Closer" }), button("−", () => this.chart.zoom(2), { "aria-label": "Farther" }),
      button("←", () => this.chart.pan(-0.25), { "aria-label": "To the left" }), button("→", () => this.chart.pan(0.25), { "aria-label": "To the right" }),
      this.resetButton, logarithmic, button("Save picture", () => savePicture(this.chart, this.title)));
  }

  async along(x) {
    this.x = x;
    this.window = null;
    try {
      this.about = await this.source.describe(x, this.abort.signal);
      this.chosen = this.chosen.filter((name) => name !== this.about.x_column);
      this.choices.show(this.about.x_column, this.chosen);
      await this.read();
    } catch (error) {
      this.fail(error);
    }
  }

  look(from, to) {
    this.window = [from, to];
    this.resetButton.disabled = false;
    this.chart.show(from, to);
    this.soon();
  }

  reset() {
    this.window = null;
    this.resetButton.disabled = true;
    this.read();
  }

  async read() {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    if (!this.chosen.length) {
      this.data = null;
      this.chart.clear();
      this.note.textContent = "Choose at least one column.";
      return;
    }
    const points = Math.max(FEWEST_POINTS, Math.min(MOST_POINTS, Math.round(this.area.clientWidth)));
    const [from, to] = this.window ?? [];
    try {
      const found = await this.source.read({ x: this.x, columns: this.chosen, from, to, points }, signal);
      if (signal.aborted) return;
      this.data = found;
      this.about = { ...this.about, ...found };
      this.draw();
    } catch (error) {
      this.fail(error);
    }
  }

  draw() {
    if (!this.data) return;
    const { x, series, x_column: along } = this.data;
    const time = this.about.columns.find(({ name }) => name === along)?.kind === "time";
    const names = this.chosen.filter((name) => series[name]);
    this.chart.draw({ x, lines: names.map((name) => ({ name, values: series[name].values })), along: along ?? "row", time, log: this.log, window: this.window });
    this.note.textContent = this.words();
    this.fillTable();
  }

  words() {
    const { x, rows, rows_total: total, x_column: along } = this.data;
    const seen = this.window ? `${plural(rows, "row")} of ${total.toLocaleString("en-GB")}` : plural(total, "row");
    const thinned = x.length < rows ? `; ${plural(x.length, "point")} drawn, every peak kept` : "";
    const order = this.x !== null && along !== this.x ? ` '${this.x}' does not ascend, so rows are numbered.` : "";
    const low = this.log ? " Values of zero and below have no place on a logarithmic axis." : "";
    return `${seen}${thinned}.${order}${low}${this.window ? "" : " Drag over a part to look closer."}`;
  }

  fillTable() {
    if (!this.table.open || !this.data) return;
    const { x, series, x_column: along } = this.data;
    const time = this.about.columns.find(({ name }) => name === along)?.kind === "time";
    const old = this.table.querySelector(".tw-plot-table");
    const made = valuesTable({ x, along: along ?? "row", time, lines: this.chosen.filter((name) => series[name]).map((name) => ({ name, values: series[name].values })) });
    if (old) old.replaceWith(made);
    else this.table.append(made);
  }

  // The file may have grown: who looks at all of it, or at its end, sees the new; who looks elsewhere is left alone.
  refresh() {
    this.again();
  }

  async grow() {
    if (!this.about) {
      this.start();
      return;
    }
    if (!this.root.isConnected || this.chart?.busy) return;
    const end = this.about.x_range?.[1];
    if (!this.window) await this.read();
    else if (this.window[1] >= end) await this.follow(end);
  }

  async follow(end) {
    try {
      const about = await this.source.describe(this.x, this.abort.signal);
      const by = (about.x_range?.[1] ?? end) - end;
      if (by > 0) this.look(this.window[0] + by, this.window[1] + by);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    if (error.name === "AbortError") return;
    this.note.textContent = error.message;
    this.area.hidden = this.table.hidden = !this.data;
  }

  close() {
    this.abort.abort();
    this.chart?.close();
    this.root.remove();
  }
}
