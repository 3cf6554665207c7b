// A table of text as rows and as a plot.

import uPlot from "uplot";
import { filesAddress } from "./assets.js";
import { button, element } from "./dom.js";
import { formatSize, plural } from "./format.js";

const LARGEST = 50_000_000;
const MOST_LINES = 6;
const COLOURS = ["#0f62c9", "#d9480f", "#2b8a3e", "#9c36b5", "#e67700", "#0b7285"];
const COLOURS_DARK = ["#6cb0ff", "#ff922b", "#69db7c", "#e599f7", "#ffd43b", "#66d9e8"];

export function previewTable({ path, size, table }, ref) {
  const box = element("div", { class: "tw-table-preview" });
  const numeric = table.columns.map(({ name, type }, index) => ({ name, type, index })).filter(({ type }) => ["number", "integer", "time"].includes(type));
  if (numeric.some(({ type }) => type !== "time")) box.append(plotBox({ path, size, table, numeric }, ref));
  const rows = table.rowCount === null ? `first ${plural(table.rows.length, "row")}` : `${plural(table.rowCount, "row")}, ${plural(table.columns.length, "column")}${table.rows.length < table.rowCount ? `; the first ${table.rows.length} are shown` : ""}`;
  box.append(
    element("p", { class: "tw-quiet" }, rows),
    element("div", { class: "tw-scroll tw-table-box", tabindex: "0", role: "region", "aria-label": "Rows of the table" },
      element("table", { class: "tw-table" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "#"), ...table.columns.map(({ name, type }) => element("th", { scope: "col", title: type }, name)))),
        element("tbody", {}, ...table.rows.map((cells, index) => element("tr", {}, element("th", { scope: "row" }, String(index + 1)), ...cells.map((cell) => element("td", {}, cell))))))));
  return box;
}

function plotBox({ path, size, table, numeric }, ref) {
  const box = element("div", { class: "tw-plot-box" });
  if (size > LARGEST) {
    box.append(element("p", { class: "tw-quiet" }, `Tables of more than ${formatSize(LARGEST)} are not plotted here; open a notebook in the workspace.`));
    return box;
  }
  // One cannot press what is not there yet: a table of some size is plotted on request.
  if (size > 5_000_000) box.append(button(`Plot (${formatSize(size)})`, () => new Plot(box, { path, table, numeric, ref }).start()));
  else requestAnimationFrame(() => new Plot(box, { path, table, numeric, ref }).start());
  return box;
}

class Plot {
  constructor(box, { path, table, numeric, ref }) {
    Object.assign(this, { box, path, table, numeric, ref, waiting: new Map(), next: 0, plot: null });
    this.note = element("span", { class: "tw-quiet", role: "status" }, "reading …");
    this.area = element("div", { class: "tw-plot" });
    const time = numeric.find(({ name, type }) => type === "time" || /^(t|time|zeit|date|timestamp)\b/i.test(name)) ?? (numeric.length > 1 ? numeric[0] : null);
    this.x = time?.index ?? -1;
    this.lines = numeric.filter(({ index, type }) => index !== this.x && type !== "time").slice(0, 3).map(({ index }) => index);
    this.worker = new Worker("/app/static/csv-worker.js", { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.receive(data));
    this.worker.addEventListener("error", () => { this.note.textContent = "The table cannot be plotted."; });
  }

  async start() {
    this.box.replaceChildren(this.choices(), this.area, this.note);
    const themes = new MutationObserver(() => this.plot && this.draw(...this.zoom));
    themes.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    // Gone from the page: stop reading.
    new MutationObserver((_, watch) => {
      if (this.box.isConnected) return;
      watch.disconnect();
      themes.disconnect();
      this.worker.terminate();
      this.plot?.destroy();
    }).observe(document.getElementById("main"), { childList: true, subtree: true });
    try {
      const named = this.table.columns.some(({ name }) => Number.isNaN(Number(name)));
      const { rows, cut } = await this.ask("load", { address: filesAddress(this.path, { ref: this.ref }), delimiter: this.table.delimiter, skip: named ? 1 : 0 });
      this.read = `${plural(rows, "row")}${cut ? ", cut at 50 MB" : ""}`;
      await this.draw();
    } catch (error) {
      this.note.textContent = error.message;
    }
  }

  ask(task, wish) {
    this.next += 1;
    this.worker.postMessage({ id: this.next, task, ...wish });
    return new Promise((resolve, reject) => this.waiting.set(this.next, { resolve, reject }));
  }

  receive({ id, result, error, progress }) {
    if (progress) this.note.textContent = `reading … ${formatSize(progress)}`;
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) waiting?.reject(new Error(error));
    else waiting?.resolve(result);
  }

  choices() {
    const x = element("select", { class: "form-select form-select-sm", "aria-label": "Along" }, element("option", { value: "-1" }, "row number"), ...this.numeric.map(({ name, index }) => element("option", { value: index, selected: index === this.x }, name)));
    x.addEventListener("change", () => {
      this.x = Number(x.value);
      this.lines = this.lines.filter((line) => line !== this.x);
      this.box.firstChild.replaceWith(this.choices());
      this.box.querySelector("select").focus();
      this.draw();
    });
    const lines = this.numeric.filter(({ type, index }) => type !== "time" && index !== this.x).slice(0, 40).map(({ name, index }) => {
      const tick = element("input", { type: "checkbox", class: "form-check-input", checked: this.lines.includes(index) });
      tick.addEventListener("change", () => {
        this.lines = tick.checked ? [...this.lines, index].slice(-MOST_LINES) : this.lines.filter((line) => line !== index);
        for (const [other, box] of ticks) box.checked = this.lines.includes(other);
        this.draw();
      });
      return [index, tick, element("label", { class: "tw-tick" }, tick, name)];
    });
    const ticks = lines.map(([index, tick]) => [index, tick]);
    return element("div", { class: "tw-plot-choices" }, element("label", { class: "tw-along" }, "along ", x), element("span", { role: "group", "aria-label": "Lines" }, ...lines.map(([, , label]) => label)));
  }

  async draw(low, high) {
    this.zoom = low === undefined ? [] : [low, high];
    this.plot?.destroy();
    this.plot = null;
    if (!this.lines.length) {
      this.area.replaceChildren();
      this.note.textContent = "Choose at least one column.";
      return;
    }
    const { data, points, of } = await this.ask("draw", { x: this.x, lines: this.lines, low, high });
    this.note.textContent = `${this.read}${points < of ? `; ${plural(points, "point")} drawn, every peak kept` : ""}. ${low === undefined ? "Drag over a part to look closer." : ""}`;
    if (low !== undefined) this.note.append(button("Show all", () => this.draw(), { kind: "link" }));
    const dark = document.documentElement.dataset.bsTheme === "dark";
    const style = getComputedStyle(this.area);
    const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--tw-line"), width: 1 }, ticks: { stroke: style.getPropertyValue("--tw-line"), width: 1 } };
    const small = smallOnes(data.slice(1));
    const isTime = this.table.columns[this.x]?.type === "time";
    const name = (index) => (index < 0 ? "row" : this.table.columns[index].name);
    this.area.replaceChildren();
    this.plot = new uPlot({
      width: Math.max(240, this.area.clientWidth),
      height: 260,
      scales: { x: { time: isTime } },
      series: [{ label: name(this.x) }, ...this.lines.map((index, at) => ({ label: name(index), stroke: (dark ? COLOURS_DARK : COLOURS)[at % COLOURS.length], width: 1.5, scale: small.has(at) ? "small" : "y" }))],
      axes: [axis, { ...axis, size: 64 }, ...(small.size ? [{ ...axis, size: 64, side: 1, scale: "small", grid: { show: false } }] : [])],
      cursor: { drag: { setScale: false, x: true, y: false } },
      hooks: { setSelect: [(plot) => plot.select.width > 4 && this.draw(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"))] },
    }, data.map((line) => Array.from(line, (value) => (Number.isNaN(value) ? null : value))), this.area);
    new ResizeObserver(() => this.plot?.setSize({ width: Math.max(240, this.area.clientWidth), height: 260 })).observe(this.area);
  }
}

// Lines that would be flat beside the others get the scale at the right.
function smallOnes(lines) {
  const limits = lines.map((line) => line.reduce(([low, high], value) => (Number.isNaN(value) ? [low, high] : [Math.min(low, value), Math.max(high, value)]), [Infinity, -Infinity]));
  const all = [Math.min(...limits.map(([low]) => low)), Math.max(...limits.map(([, high]) => high))];
  const found = limits.map(([low, high]) => (high - low) * 12 < all[1] - all[0]);
  // All of them small means that they lie far apart: the first keeps the left.
  if (found.every(Boolean)) found[0] = false;
  return new Set(found.flatMap((is, index) => (is ? [index] : [])));
}
