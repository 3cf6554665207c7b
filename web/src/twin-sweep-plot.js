// The plot of a sweep: one result against one of the varied values.

import uPlot from "uplot";
import { element } from "./dom.js";
import { brief } from "./plot-chart.js";
import { aligned, linesOf } from "./twin-sweep-table.js";

const HEIGHT_PX = 260;
const COLOURS = ["#0f62c9", "#d9480f", "#2b8a3e", "#9c36b5", "#e67700", "#0b7285", "#c2255c", "#5c5f66"];
const COLOURS_DARK = ["#6cb0ff", "#ff922b", "#69db7c", "#e599f7", "#ffd43b", "#66d9e8", "#faa2c1", "#ced4da"];

export class SweepPlot {
  constructor(place, { onChoose }) {
    this.onChoose = onChoose;
    this.area = element("div", { class: "tw-plot", role: "img" });
    this.choices = element("div", { class: "tw-plot-choices" });
    this.root = element("div", {}, this.choices, this.area);
    place.append(this.root);
    this.themes = new MutationObserver(() => this.draw());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    this.sizes = new ResizeObserver(() => this.plot?.setSize({ width: this.width(), height: HEIGHT_PX }));
    this.sizes.observe(this.area);
  }

  width() {
    return Math.max(240, this.area.clientWidth);
  }

  chooser(label, names, chosen, key) {
    const select = element("select", { class: "form-select form-select-sm", "aria-label": label }, ...names.map((name) => element("option", { value: name, selected: name === chosen }, name)));
    select.addEventListener("change", () => this.onChoose({ [key]: select.value }));
    return element("label", { class: "tw-along" }, `${label} `, select);
  }

  show({ table, runs, x, y, inputs, results }) {
    const key = JSON.stringify([x, y, inputs, results]);
    if (key !== this.key) {
      const focused = this.choices.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
      this.choices.replaceChildren(this.chooser("Show", results, y, "y"), this.chooser("along", inputs, x, "x"));
      if (focused) this.choices.querySelector(`[aria-label="${focused}"]`)?.focus();
    }
    this.key = key;
    Object.assign(this, { lines: linesOf(table, { runs, x, y }), x, y });
    this.draw();
  }

  draw() {
    this.plot?.destroy();
    this.plot = null;
    const count = this.lines.reduce((sum, { points }) => sum + points.length, 0);
    this.area.setAttribute("aria-label", `${this.y} along ${this.x}, ${count} points; the table below has the values`);
    if (!count) return;
    const style = getComputedStyle(this.area);
    const colours = document.documentElement.dataset.bsTheme === "dark" ? COLOURS_DARK : COLOURS;
    const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--tw-line"), width: 1 }, ticks: { stroke: style.getPropertyValue("--tw-line"), width: 1 } };
    this.plot = new uPlot({
      width: this.width(), height: HEIGHT_PX, scales: { x: { time: false } },
      series: [{ label: this.x, value: (_, value) => brief(value) }, ...this.lines.map(({ label }, at) => ({ label, value: (_, value) => brief(value), stroke: colours[at % colours.length], width: 1.5, spanGaps: true, points: { show: true, size: 7, fill: colours[at % colours.length] } }))],
      axes: [{ ...axis, label: this.x, labelSize: 20, values: (_, marks) => marks.map(brief) }, { ...axis, size: 68, values: (_, marks) => marks.map(brief) }],
    }, aligned(this.lines), this.area);
  }

  close() {
    this.themes.disconnect();
    this.sizes.disconnect();
    this.plot?.destroy();
    this.root.remove();
  }
}
