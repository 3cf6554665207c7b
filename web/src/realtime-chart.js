// What answers look like: a number, a table, bars, and lines over time. Each is {node, show(answer), close()}.

import { element } from "./dom.js";
import { PlotChart } from "./plot-chart.js";
import { valuesTable } from "./plot-values.js";
import { columnOf, groupName, measureWords, tableOf } from "./realtime-question.js";
import { figure } from "./realtime-words.js";

const MOST_ROWS = 200;
const MOST_BARS = 40;
const MOST_LINES = 8;
const KEPT = 900;
const SHORTEST_S = 30;

export const KINDS = [["number", "Number"], ["bar", "Bars"], ["table", "Table"], ["line", "Lines over time"], ["area", "Areas over time"]];

export function makeChart(kind, question, { title = "", unit = "" } = {}) {
  return { number: numberChart, table: tableChart, bar: barChart, line: timeChart, area: timeChart }[kind](question, { title, unit, kind });
}

function numberChart(question, { unit }) {
  const node = element("div", { class: "tw-numbers" });
  const names = question.measures.map(columnOf);
  return {
    node,
    show: ({ groups }) => {
      const shown = groups.slice(0, 12).flatMap(({ key, values }) => names.map((name, at) => [names.length > 1 ? measureWords(question.measures[at]) : "", key.length ? groupName(key) : "", values[name]]));
      node.replaceChildren(...(shown.length ? shown : [["", "", null]]).map(([words, group, value]) => element("div", {}, element("p", { class: "tw-big" }, figure(value), unit ? element("span", { class: "tw-unit" }, unit) : null), group || words ? element("p", { class: "tw-quiet m-0" }, [group, words].filter(Boolean).join(": ")) : null)));
    },
    close: () => {},
  };
}

function tableChart(question, { title }) {
  const head = element("thead", {});
  const body = element("tbody", {});
  const more = element("p", { class: "tw-quiet m-0" });
  const node = element("div", {}, element("div", { class: "tw-scroll tw-table-box", tabindex: "0", role: "region", "aria-label": title || "Answer" }, element("table", { class: "tw-table" }, head, body)), more);
  const units = question.measures.map(measureWords);
  return {
    node,
    show: (answer) => {
      const { columns, groups, rows } = tableOf(answer, question);
      head.replaceChildren(element("tr", {}, ...columns.map((name, at) => element("th", { scope: "col", title: at < groups ? null : units[at - groups] }, name))));
      body.replaceChildren(...rows.slice(0, MOST_ROWS).map((row) => element("tr", {}, ...row.map((value, at) => element(at < groups ? "th" : "td", at < groups ? { scope: "row" } : {}, at < groups && value === null ? "(none)" : figure(value))))));
      more.textContent = rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows.length} lines.` : "";
    },
    close: () => {},
  };
}

// Bars of plain elements: they are read aloud, take the page's colours and need no drawing.
function barChart(question) {
  const names = question.measures.map(columnOf);
  const list = element("ul", { class: "tw-bars" });
  const more = element("p", { class: "tw-quiet m-0" });
  const lines = new Map();
  const make = (name) => {
    const fill = element("div", { class: "tw-bar-fill" });
    return { fill, value: element("span", { class: "tw-bar-value" }), name };
  };
  return {
    node: element("div", {}, list, more),
    show: ({ groups }) => {
      const seen = groups.slice(0, MOST_BARS);
      const longest = (of) => Math.max(1e-12, ...seen.flatMap(({ values }) => of.map((name) => Math.abs(values[name] ?? 0))));
      // Measures of one field can be compared; a count and an average cannot.
      const same = new Set(question.measures.map(({ of, field }) => field ?? of)).size === 1;
      const highest = new Map(names.map((name) => [name, longest(same ? names : [name])]));
      const wanted = seen.map(({ key, values }) => {
        const words = JSON.stringify(key);
        let line = lines.get(words);
        if (!line) {
          const parts = names.map(make);
          line = { parts, node: element("li", {}, element("span", { class: "tw-bar-name" }, groupName(key)), element("div", { class: "tw-bar-group" }, ...parts.map(({ fill, value }, at) => element("div", { class: "tw-bar-row", "data-series": String(at % 4), title: measureWords(question.measures[at]) }, element("div", { class: "tw-bar-track" }, fill), value)))) };
          lines.set(words, line);
        }
        for (const { fill, value, name } of line.parts) {
          const amount = values[name];
          fill.style.width = `${(100 * Math.abs(amount ?? 0)) / highest.get(name)}%`;
          value.textContent = figure(amount);
        }
        return line.node;
      });
      if (wanted.length !== list.childElementCount || wanted.some((node, at) => list.children[at] !== node)) list.replaceChildren(...wanted);
      more.textContent = [groups.length > MOST_BARS ? `The first ${MOST_BARS} of ${groups.length} groups.` : "", names.length > 1 ? `From top to bottom: ${question.measures.map(measureWords).join(", ")}.` : ""].filter(Boolean).join(" ");
    },
    close: () => {},
  };
}

// A line for each group and measure; what is seen begins when the page is opened.
function timeChart(question, { title, kind }) {
  const area = element("div", { class: "tw-plot-area" });
  const note = element("p", { class: "tw-quiet m-0" });
  const table = element("details", {}, element("summary", {}, "Values"), element("div", {}));
  const node = element("div", {}, area, note, table);
  const names = question.measures.map(columnOf);
  const times = [];
  const series = new Map();
  let window = null;
  let last = null;
  let timer = 0;
  const bounds = () => (times.length ? [times[0], Math.max(times.at(-1), times[0] + SHORTEST_S)] : [0, 1]);
  const chart = new PlotChart(area, { title: title || "Over time", onWindow: (from, to) => { window = [from, to]; draw(); }, onReset: () => { window = null; draw(); }, bounds });
  const shown = () => ({ x: times, lines: [...series].slice(0, MOST_LINES).map(([name, values]) => ({ name, values })), along: "time", time: true });
  function draw() {
    if (!chart.busy && times.length) chart.draw({ ...shown(), log: false, window, filled: kind === "area" });
    if (table.open) table.lastChild.replaceChildren(valuesTable(shown()));
  }
  // A line goes on while nothing changes, which is when nothing is told.
  function tick() {
    if (!last) return;
    times.push(Math.round(Date.now() / 100) / 10);
    for (const { key, values } of last.groups) {
      for (const [at, name] of names.entries()) {
        const label = [key.length ? groupName(key) : "", names.length > 1 || !key.length ? measureWords(question.measures[at]) : ""].filter(Boolean).join(": ");
        if (!series.has(label)) series.set(label, new Array(times.length - 1).fill(null));
        series.get(label)[times.length - 1] = typeof values[name] === "number" ? values[name] : null;
      }
    }
    for (const values of series.values()) if (values.length < times.length) values.push(null);
    if (times.length > KEPT) {
      times.shift();
      for (const values of series.values()) values.shift();
    }
    note.textContent = series.size > MOST_LINES ? `The first ${MOST_LINES} of ${series.size} lines.` : "";
    draw();
  }
  timer = setInterval(() => document.visibilityState === "visible" && tick(), 1000);
  return {
    node,
    show: (answer) => {
      const first = !last;
      last = answer;
      if (first) tick();
    },
    close: () => {
      clearInterval(timer);
      chart.close();
    },
  };
}
