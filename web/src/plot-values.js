// What a plot shows, as a table: for who cannot see it, and for who wants the numbers.

import { element } from "./dom.js";
import { plural } from "./format.js";
import { brief } from "./plot-chart.js";

const MOST_ROWS = 40;

export function valuesTable({ x, along, time, lines }) {
  const place = (value) => (time ? new Date(value * 1000).toISOString().replace("T", " ").replace(/\.000Z$|Z$/, "") : brief(value));
  const head = element("thead", {}, element("tr", {}, element("th", { scope: "col" }, along), ...lines.map(({ name }) => element("th", { scope: "col" }, name))));
  const facts = [["lowest", Math.min], ["highest", Math.max]].map(([label, choose]) => row(label, lines.map(({ values }) => reduced(values, choose))));
  const picked = pick(x.length);
  const rows = picked.map((at) => row(place(x[at]), lines.map(({ values }) => values[at])));
  return element("div", { class: "tw-plot-table" },
    element("p", { class: "tw-quiet" }, picked.length < x.length ? `${MOST_ROWS} of ${plural(x.length, "point")} that are drawn, evenly chosen.` : plural(x.length, "point")),
    element("div", { class: "tw-scroll tw-table-box", tabindex: "0", role: "region", "aria-label": "Values" }, element("table", { class: "tw-table" }, head, element("tbody", {}, ...facts, ...rows))));
}

function row(label, values) {
  return element("tr", {}, element("th", { scope: "row" }, label), ...values.map((value) => element("td", {}, brief(value))));
}

function reduced(values, choose) {
  let found = null;
  for (const value of values) if (value !== null) found = found === null ? value : choose(found, value);
  return found;
}

function pick(count) {
  if (count <= MOST_ROWS) return Array.from({ length: count }, (_, at) => at);
  return Array.from({ length: MOST_ROWS }, (_, at) => Math.round((at * (count - 1)) / (MOST_ROWS - 1)));
}
