// Sweeps: many runs with varied values, their table and their plot as they come.

import { requestJson } from "./api.js";
import { attempt, button, element, lazy } from "./dom.js";
import { encodePath, formatTime, plural } from "./format.js";
import { stateBadge } from "./run-badge.js";
import { panel } from "./twin-panel.js";
import { api, twinApi } from "./twins-state.js";
import { twinAddress } from "./twins-address.js";
import { columnsOf, numericColumns, tellingResult } from "./twin-sweep-table.js";

const LOOK_AGAIN_MS = 1000;
const keyOf = (twin) => `twinhub-sweep-${twin}`;

export class Sweeps {
  constructor(view) {
    Object.assign(this, { view, sweep: null, timer: 0, y: "", x: "", wanted: "" });
    this.earlier = element("div", {});
    this.lead = element("p", { class: "tw-quiet" }, "Type a range such as ", element("code", {}, "1:10:1"), " (start:stop:step) as a value, and one run is made for each. Several ranges are combined.");
    this.body = element("div", {});
    this.root = panel("Sweep", element("div", {}, this.lead, this.body), { key: "sweep", actions: this.earlier });
    this.root.classList.add("tw-across");
    this.recall();
  }

  hint(possible) {
    this.root.hidden = !possible && !this.sweep;
  }

  // What is varied comes first; the plot is drawn along the first. A text of commas is one value, so it travels as a list.
  async begin({ sweeps, values }) {
    const usual = new Map(this.view.twin.parameters.map(({ name, default: preset }) => [name, preset]));
    const fixed = Object.entries(values).filter(([name, value]) => value !== usual.get(name)).map(([name, value]) => [name, typeof value === "string" ? [value] : value]);
    const sweep = await requestJson("POST", twinApi(this.view.name, "sweeps"), { json: { set: { ...sweeps, ...Object.fromEntries(fixed) } } });
    this.open(sweep);
    this.root.scrollIntoView({ block: "nearest" });
  }

  // What runs is shown at once, and what was looked at before a reload; the others can be chosen.
  async recall() {
    const { sweeps } = await requestJson("GET", api(`sweeps?twin=${encodeURIComponent(this.view.name)}`), { signal: this.view.abort.signal }).catch(() => ({ sweeps: [] }));
    this.offer(sweeps);
    const seen = sessionStorage.getItem(keyOf(this.view.name));
    const sweep = sweeps.find(({ state }) => state === "running") ?? sweeps.find(({ id }) => id === seen);
    if (sweep && !this.sweep) this.show(sweep);
  }

  offer(sweeps) {
    const words = ({ created, runs, state }) => `${formatTime(Date.parse(created) / 1000)}: ${plural(runs.length, "run")}, ${state}`;
    const choose = element("select", { class: "form-select form-select-sm", "aria-label": "Show an earlier sweep" }, element("option", { value: "" }, "Show sweep of …"), ...sweeps.map((sweep, index) => element("option", { value: index }, words(sweep))));
    choose.addEventListener("change", () => {
      const sweep = sweeps[choose.value];
      choose.value = "";
      if (sweep) this.open(sweep);
    });
    this.earlier.replaceChildren(...(sweeps.length ? [choose] : []));
  }

  open(sweep) {
    sessionStorage.setItem(keyOf(this.view.name), sweep.id);
    this.wanted = "";
    this.show(sweep);
  }

  changed() {
    if (this.sweep?.state === "running") this.look();
  }

  async look() {
    clearTimeout(this.timer);
    if (this.asking || !this.sweep) return;
    this.asking = true;
    const fresh = await requestJson("GET", api(`sweeps/${encodeURIComponent(this.sweep.id)}`), { signal: this.view.abort.signal }).catch(() => null);
    this.asking = false;
    if (fresh) this.show(fresh);
    else if (this.root.isConnected) this.timer = setTimeout(() => this.look(), LOOK_AGAIN_MS * 5);
  }

  show(sweep) {
    const before = this.sweep?.state;
    this.sweep = sweep;
    this.root.hidden = false;
    clearTimeout(this.timer);
    if (sweep.state === "running") this.timer = setTimeout(() => this.look(), LOOK_AGAIN_MS);
    const ended = sweep.runs.filter(({ state }) => state !== "running" && state !== "waiting").length;
    const failed = sweep.runs.filter(({ state }) => state === "failed").length;
    const words = `${ended} of ${plural(sweep.runs.length, "run")} ended${failed ? `, ${failed} failed` : ""}`;
    const table = columnsOf(sweep);
    const key = JSON.stringify([sweep.id, table, sweep.state, sweep.runs.map(({ id, state }) => [id, state])]);
    if (key === this.drawn) return;
    this.drawn = key;
    if (!this.head || this.head.dataset.sweep !== sweep.id) this.build(sweep);
    this.status.textContent = `${words}${sweep.state === "running" ? "" : `; ${sweep.state}`}.`;
    this.notes.replaceChildren(...sweep.notes.map((note) => element("p", { class: "tw-note", role: "note" }, `${note.charAt(0).toUpperCase()}${note.slice(1)}`)));
    this.bar.max = sweep.runs.length;
    this.bar.value = ended;
    this.stop.hidden = sweep.state !== "running";
    this.resume.hidden = sweep.state !== "stopped" && sweep.state !== "interrupted";
    if (sweep.state !== "running" && before === "running") this.recall();
    this.showTable(table, sweep);
    this.showPlot(table);
  }

  build(sweep) {
    this.status = element("span", { role: "status" });
    this.bar = element("progress", { max: sweep.runs.length, value: 0, "aria-label": "Runs that have ended" });
    const order = (word) => attempt(async () => this.show(await requestJson("POST", api(`sweeps/${encodeURIComponent(sweep.id)}/${word}`), { json: {} })));
    this.stop = button("Stop the sweep", () => order("stop"), { kind: "danger" });
    this.resume = button("Resume", () => order("resume"), { kind: "outline-primary" });
    this.head = element("div", { class: "tw-sweep-head", "data-sweep": sweep.id }, this.status, this.stop, this.resume, element("a", { class: "btn btn-sm btn-outline-secondary", href: `/app/library/private/${encodePath(sweep.outputs)}` }, "Files"), button("Close", () => this.forget(), { kind: "outline-secondary" }));
    this.notes = element("div", {});
    this.plot = element("div", { class: "tw-sweep-plot" });
    this.table = element("div", { class: "tw-scroll tw-table-box", tabindex: "0", role: "region", "aria-label": "Runs of the sweep" });
    this.body.replaceChildren(this.head, this.bar, this.notes, this.plot, this.table);
  }

  forget() {
    clearTimeout(this.timer);
    sessionStorage.removeItem(keyOf(this.view.name));
    Object.assign(this, { sweep: null, head: null, drawn: "" });
    this.handle?.close();
    this.handle = null;
    this.body.replaceChildren();
  }

  showTable({ columns, rows }, sweep) {
    const run = (index) => sweep.runs[index];
    this.table.replaceChildren(element("table", { class: "tw-table" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Run"), ...columns.map((name) => element("th", { scope: "col" }, name)), element("th", { scope: "col" }, "State"))),
      element("tbody", {}, ...rows.map((cells, index) => element("tr", {},
        element("th", { scope: "row" }, run(index).id ? element("a", { href: twinAddress({ twin: this.view.name, tab: "execute", run: run(index).id }), "data-twin-go": "" }, String(index + 1)) : String(index + 1)),
        ...cells.map((cell) => element("td", {}, cell === null || cell === undefined ? "" : typeof cell === "number" ? String(Number(cell.toPrecision(6))) : String(cell))),
        element("td", {}, run(index).id ? stateBadge(run(index)) : run(index).state ?? "waiting"))))));
  }

  async showPlot(table) {
    const { inputs, results } = numericColumns(table, this.sweep);
    if (!inputs.length || !results.length) return this.plot.replaceChildren();
    if (!inputs.includes(this.x)) [this.x] = inputs;
    if (!results.includes(this.wanted)) this.y = tellingResult(table, results);
    const { SweepPlot } = await lazy(() => import("./twin-sweep-plot.js"));
    this.handle ??= new SweepPlot(this.plot, { onChoose: (choice) => { Object.assign(this, choice, choice.y ? { wanted: choice.y } : {}); this.showPlot(columnsOf(this.sweep)); } });
    if (!this.plot.firstChild) this.plot.append(this.handle.root);
    return this.handle.show({ table, runs: this.sweep.runs, x: this.x, y: this.y, inputs, results });
  }

  close() {
    clearTimeout(this.timer);
    this.handle?.close();
  }
}
