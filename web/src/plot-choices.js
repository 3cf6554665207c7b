// Which columns are drawn, and along which.

import { element } from "./dom.js";

const MOST_LINES = 8;
const MANY = 12;

export class PlotChoices {
  constructor({ columns, x, chosen, onX, onChosen }) {
    Object.assign(this, { columns: columns.filter(({ kind }) => kind !== "text"), chosen: [...chosen], onX, onChosen });
    this.root = element("div", { class: "tw-plot-choices" });
    this.show(x, chosen);
  }

  show(x, chosen) {
    this.chosen = [...chosen];
    this.x = x;
    const had = this.root.contains(document.activeElement) ? document.activeElement.dataset.column ?? "" : null;
    this.root.replaceChildren(this.along(), ...this.lines());
    if (had !== null) (this.root.querySelector(`[data-column="${CSS.escape(had)}"]`) ?? this.root.querySelector("select")).focus();
  }

  along() {
    const options = this.columns.map(({ name }) => element("option", { value: name, selected: name === this.x }, name));
    if (this.x === null) options.unshift(element("option", { value: "", selected: true }, "row number"));
    const select = element("select", { class: "form-select form-select-sm" }, ...options);
    select.addEventListener("change", () => this.onX(select.value || null));
    return element("label", { class: "tw-along" }, "along ", select);
  }

  lines() {
    this.ticks = new Map();
    const names = this.columns.map(({ name }) => name).filter((name) => name !== this.x);
    const labels = names.map((name) => {
      const tick = element("input", { type: "checkbox", class: "form-check-input", checked: this.chosen.includes(name), "data-column": name });
      tick.addEventListener("change", () => this.choose(name, tick.checked));
      this.ticks.set(name, tick);
      return element("label", { class: "tw-tick", title: name }, tick, name);
    });
    const group = element("div", { class: "tw-plot-columns", role: "group", "aria-label": "Columns", tabindex: names.length > MANY ? "0" : null }, ...labels);
    if (names.length <= MANY) return [group];
    const filter = element("input", { type: "search", class: "form-control form-control-sm tw-plot-filter", placeholder: `Find among ${names.length} columns`, "aria-label": "Find a column", autocomplete: "off", spellcheck: "false" });
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      names.forEach((name, at) => { labels[at].hidden = !name.toLowerCase().includes(wanted); });
    });
    return [filter, group];
  }

  choose(name, on) {
    this.chosen = on ? [...this.chosen, name].slice(-MOST_LINES) : this.chosen.filter((other) => other !== name);
    for (const [other, tick] of this.ticks) tick.checked = this.chosen.includes(other);
    this.onChosen([...this.chosen]);
  }
}
