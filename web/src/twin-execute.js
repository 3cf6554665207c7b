// Execute: values for the parameters, start and stop, the log beside them, many runs at once, a snapshot.

import { attempt, button, element } from "./dom.js";
import { formatTime, plural } from "./format.js";
import { emptyLog, shownRun } from "./twin-log.js";
import { fill, panel } from "./twin-panel.js";
import { MEANING } from "./twin-phases.js";
import { ParameterForm } from "./twin-form.js";
import { askSnapshot } from "./twin-snapshots.js";
import { Sweeps } from "./twin-sweep.js";
import { twinAddress } from "./twins-address.js";
import { fetchRuns, stopRun, terminate } from "./twins-state.js";

export class ExecuteTab {
  constructor(view) {
    this.view = view;
    this.logPlace = element("div", { class: "tw-log-place" });
    this.noLog = element("div", { class: "tw-panel tw-part" }, emptyLog("The output of a run appears here while it runs."));
    this.after = element("div", { class: "tw-after", "aria-live": "polite" });
    this.start = element("button", { class: "btn btn-primary tw-start", type: "submit" }, "Start");
    this.reset = button("Reset to defaults", () => this.fields.use({}), { kind: "link", class: "btn btn-sm btn-link tw-reset" });
    this.stop = button("Terminate", () => this.end(), { kind: "danger", small: false });
    this.state = element("p", { class: "tw-quiet", role: "status" });
    this.values = element("div", {});
    this.earlier = element("div", { class: "tw-earlier" });
    this.broken = element("p", { class: "tw-note tw-note-bad", hidden: true }, "twin.yaml holds mistakes, so nothing can be started. ", element("a", { href: twinAddress({ twin: view.name, tab: "create", edit: "1" }), "data-twin-go": "" }, "Mend it"));
    this.form = element("form", { class: "tw-execute", novalidate: true }, this.broken, this.values, this.reset, element("div", { class: "tw-start-line" }, this.start, this.stop, this.state));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.begin();
    });
    this.sweeps = new Sweeps(view);
    this.save = button("Save a snapshot", () => this.snapshot(), { kind: "outline-secondary", title: MEANING.save });
    this.root = element("div", { class: "tw-two tw-two-even" },
      element("div", { class: "tw-side" }, panel("Values", this.form, { actions: this.earlier, key: "values" }), panel("Snapshot", element("div", { class: "tw-phase-line" }, this.save, element("span", { class: "tw-quiet" }, MEANING.save)), { key: "save" })),
      element("div", { class: "tw-wide" }, this.logPlace, this.after, this.noLog),
      this.sweeps.root);
    this.update(view.twin, { loaded: true });
  }

  update(twin) {
    const key = JSON.stringify(twin.parameters);
    if (key !== this.key) {
      this.key = key;
      this.fields = new ParameterForm(twin.name, twin.parameters, { onChange: () => this.show() });
      this.values.replaceChildren(twin.parameters.length ? this.fields.root : element("p", { class: "tw-quiet" }, "This twin has no parameters. Name some in twin.yaml (Create, Reconfigure), and they stand here as a form."));
      this.showEarlier();
    }
    this.show();
  }

  // The button says what it will do: one run, or one for each value of the ranges.
  show() {
    const twin = this.view.live;
    const running = twin.running.find((run) => run.phase === "execute");
    const { runs, sweeps } = this.fields.read();
    const isSweep = Object.keys(sweeps).length > 0;
    const able = twin.phases.includes("execute");
    this.broken.hidden = !twin.problems.some(({ level }) => level === "error");
    this.start.textContent = isSweep ? `Start ${plural(runs, "run")}` : "Start";
    this.start.setAttribute("aria-label", isSweep ? `Start ${plural(runs, "run")} of ${twin.title}` : `Start execute of ${twin.title}`);
    this.start.disabled = !able || (Boolean(running) && !isSweep);
    this.stop.hidden = !running;
    this.stop.setAttribute("aria-label", `Stop execute of ${twin.title}`);
    this.state.textContent = !able ? "It has no program lifecycle/execute." : running && isSweep ? "Execute runs; the sweep waits for it." : "";
    this.reset.hidden = !this.fields.isChanged();
    this.sweeps.hint(twin.parameters.some(({ type }) => type === "real" || type === "integer"));
  }

  async showEarlier() {
    const runs = this.view.twin.parameters.length ? (await fetchRuns(this.view.name, 50).catch(() => [])).filter((run) => Object.keys(run.parameters ?? {}).length) : [];
    const seen = new Set();
    const different = runs.filter((run) => {
      const values = JSON.stringify(run.parameters);
      return !seen.has(values) && seen.add(values);
    }).slice(0, 20);
    if (!different.length) return this.earlier.replaceChildren();
    const choose = element("select", { class: "form-select form-select-sm", "aria-label": "Use the values of an earlier run" },
      element("option", { value: "" }, "Use values of run …"),
      ...different.map((run, index) => element("option", { value: String(index) }, `${formatTime(Date.parse(run.started) / 1000)}: ${run.phase} ${run.state}`)));
    choose.addEventListener("change", () => {
      if (choose.value !== "") this.fields.use(different[Number(choose.value)].parameters);
      choose.value = "";
    });
    return this.earlier.replaceChildren(choose);
  }

  async begin() {
    if (this.start.disabled || !this.fields.valid()) return;
    const { values, sweeps } = this.fields.read();
    this.start.disabled = true;
    try {
      if (Object.keys(sweeps).length) await this.sweeps.begin({ sweeps, values });
      else await this.view.start("execute", values);
    } catch (error) {
      if (!this.fields.refuse(error)) await attempt(() => { throw error; });
    } finally {
      this.show();
    }
  }

  async end() {
    this.stop.disabled = true;
    await attempt(async () => {
      const running = this.view.live.running.find((run) => run.phase === "execute");
      await terminate(this.view.name).catch((error) => {
        if (!running || error.status === 0) throw error;
        return stopRun(running);
      });
    });
    this.stop.disabled = false;
    this.show();
  }

  async snapshot() {
    await askSnapshot(this.view.name);
    this.save.focus();
  }

  logShown(shown) {
    this.noLog.hidden = shown;
    this.showAfter();
  }

  // What a run has left behind, and the step that usually follows.
  showAfter() {
    const run = shownRun();
    const done = run?.twin === this.view.name && run.phase === "execute" && run.state === "succeeded";
    if (!done) return this.after.replaceChildren();
    const files = run.outputs_changed ?? 0;
    const { phases, running } = this.view.live;
    return fill(this.after, element("p", { class: "tw-note" },
      files ? `${plural(files, "output")} written. ` : "It has ended well; no output was written. ",
      files ? element("a", { href: twinAddress({ twin: this.view.name, tab: "analyze" }), "data-twin-go": "" }, "Look at what came out") : null, " ",
      phases.includes("analyze") && !running.length ? button("Run analyze", () => attempt(() => this.view.start("analyze")), { kind: "outline-primary", "aria-label": `Run analyze of ${this.view.live.title}` }) : null));
  }

  changed() {
    this.show();
    this.sweeps.changed();
  }

  ended() {
    this.showEarlier();
    this.showAfter();
  }

  focusForm() {
    (this.values.querySelector("input, select") ?? this.start).focus();
  }

  close() {
    this.sweeps.close();
  }
}
