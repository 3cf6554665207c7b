// The Administration page: what to look at, figures of now and of the last day.

import "./frame.js";
import { alertItems, overall, partRow, tiles } from "./admin-words.js";
import { requestJson } from "./api.js";
import { byId, element, lazy } from "./dom.js";

const LOOK_MS = 10_000;
const HISTORY_MS = 60_000;
const VIEWS = [
  { key: "requests", label: "Requests per second", scale: 1 },
  { key: "slow_ms", label: "95 of 100 requests within, in milliseconds", scale: 1 },
  { key: "errors", label: "Errors of ours per second", scale: 1 },
  { key: "cores", label: "Processor cores of each part", scale: 1 },
  { key: "memory", label: "Memory of each part, in MB", scale: 1e-6 },
  { key: "workspaces", label: "Workspaces that run", scale: 1 },
  { key: "memory_used", label: "Memory of the machine in use, in GB", scale: 1e-9 },
  { key: "disk_free", label: "Free room on the disk, in GB", scale: 1e-9 },
  { key: "load", label: "Processes that want a processor", scale: 1 },
];

let chart = null;
let history = { times: [], series: {} };

function show(state) {
  byId("trouble").hidden = true;
  if (!state.at) return;
  const { word, kind } = overall(state.alerts);
  byId("overall").textContent = word;
  byId("overall").dataset.state = kind;
  byId("alerts").replaceChildren(...alertItems(state.alerts).map(({ weight, name, what, fix }) => element("li", { "data-weight": weight }, element("strong", {}, `${name}: `), `${what} `, element("span", { class: "text-body-secondary" }, fix))));
  if (!state.alerts.length) byId("alerts").replaceChildren(element("li", { class: "tw-empty" }, "Nothing. Every part is well."));
  byId("tiles").replaceChildren(...tiles(state).map(({ term, value, more }) => element("div", {}, element("dt", {}, term), element("dd", {}, value, more ? element("small", {}, more) : null))));
  byId("parts").replaceChildren(...state.parts.map((part) => rowOf(partRow(part))));
  byId("seen").textContent = new Date(state.at * 1000).toLocaleTimeString();
}

function rowOf({ name, state, kind, cells }) {
  const badge = element("span", { class: "tw-badge", "data-state": kind }, state);
  return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, badge), ...cells.map((cell) => element("td", { class: "tw-size" }, cell)));
}

function lines(view) {
  const names = Object.keys(history.series).filter((name) => name === view.key || name.startsWith(`${view.key}.`));
  return names.map((name) => ({ name: name === view.key ? view.label : name.slice(view.key.length + 1), values: history.series[name].map((value) => (value === null ? null : value * view.scale)) }));
}

function bounds() {
  return [history.times[0] ?? 0, history.times.at(-1) ?? 1];
}

function draw(seen = null) {
  const view = VIEWS.find(({ key }) => key === byId("series").value);
  const found = lines(view);
  const empty = !found.length || history.times.length < 2;
  byId("plot-empty").hidden = !empty;
  byId("plot").hidden = empty;
  if (empty) chart.clear();
  else chart.draw({ x: history.times, lines: found, along: "Time", time: true, log: false, window: seen });
}

async function look() {
  try {
    show(await requestJson("GET", "/app/api/admin/state"));
  } catch (error) {
    byId("trouble").textContent = error.message;
    byId("trouble").hidden = false;
    byId("overall").textContent = "unknown";
    byId("overall").dataset.state = "failed";
  }
}

async function remember() {
  try {
    history = await requestJson("GET", "/app/api/admin/history");
    if (!chart.busy) draw();
  } catch {
    return; // the figures of now say what is wrong
  }
}

// A page that nobody looks at asks nothing.
function every(ms, work) {
  setInterval(() => document.hidden || work(), ms);
  document.addEventListener("visibilitychange", () => document.hidden || work());
}

async function start() {
  byId("series").append(...VIEWS.map(({ key, label }) => element("option", { value: key }, label)));
  look();
  every(LOOK_MS, look);
  const { PlotChart } = await lazy(() => import("./plot-chart.js"));
  chart = new PlotChart(byId("plot"), { title: "Figures of the last day", onWindow: (from, to) => draw([from, to]), onReset: () => draw(), bounds });
  byId("series").addEventListener("change", () => draw());
  await remember();
  every(HISTORY_MS, remember);
}

start();
