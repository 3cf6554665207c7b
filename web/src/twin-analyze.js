// Analyze: what came out, the runs before, snapshots, and versions of the configuration.

import { button, element, lazy } from "./dom.js";
import { phaseButtons } from "./twin-card.js";
import { panel } from "./twin-panel.js";
import { MEANING } from "./twin-phases.js";
import { Snapshots } from "./twin-snapshots.js";
import { makeTabs } from "./twin-tabs.js";
import { Versions } from "./twin-versions.js";
import { phasesOf } from "./twin-view.js";
import { go, here, me } from "./twins-here.js";

const PARTS = [
  { id: "outputs", label: "Outputs" },
  { id: "runs", label: "Runs" },
  { id: "snapshots", label: "Snapshots" },
  { id: "versions", label: "Versions" },
];

export class AnalyzeTab {
  constructor(view) {
    this.view = view;
    this.logPlace = element("div", { class: "tw-log-place" });
    this.phases = element("div", { class: "tw-phase-bar" });
    this.tabs = makeTabs({ label: "What to look at", tabs: PARTS, onChoose: (part) => go({ part: part === "outputs" ? "" : part, compare: "" }), prefix: "part", quiet: true });
    this.outputsPlace = element("div", {});
    this.outputs = panel("Outputs", this.outputsPlace, { quiet: true });
    this.runsPlace = element("div", {});
    this.comparison = element("div", { "aria-live": "polite" });
    this.runs = element("div", {}, this.comparison, panel("Runs", this.runsPlace));
    this.snapshots = new Snapshots(view);
    this.versions = new Versions(view);
    this.handles = {};
    this.root = element("div", { class: "tw-one" }, element("div", { class: "tw-analyze-head" }, this.tabs.list, this.phases), this.logPlace, this.tabs.panel);
    this.showPhases();
  }

  show() {
    const part = PARTS.some(({ id }) => id === here.part) ? here.part : "outputs";
    this.tabs.choose(part);
    this.part = part;
    const roots = { outputs: this.outputs, runs: this.runs, snapshots: this.snapshots.root, versions: this.versions.root };
    if (this.tabs.panel.firstChild !== roots[part]) this.tabs.panel.replaceChildren(roots[part]);
    if (part === "outputs") this.showOutputs();
    else if (part === "runs") this.showRuns();
    else this[part].show();
  }

  showPhases() {
    const twin = this.view.live;
    const phases = phasesOf("analyze", twin).filter((phase) => phase !== "evolve");
    const buttons = phaseButtons(twin, { phases, wished: "analyze", start: (phase) => this.view.start(phase) });
    this.phases.replaceChildren(...(buttons.length ? buttons : [element("span", { class: "tw-quiet" }, "It has no program lifecycle/analyze.")]));
    if (buttons.length) buttons[0].title = MEANING.analyze;
  }

  async showOutputs() {
    if (this.handles.outputs) return this.handles.outputs.refresh();
    await this.fill("outputs", this.outputsPlace, async () => (await lazy(() => import("./run-outputs.js"))).showOutputs(this.outputsPlace, this.view.name, { user: me }));
    return null;
  }

  async showRuns() {
    if (here.compare) this.compare(...here.compare.split("..."));
    else this.endComparison();
    if (this.handles.runs) return this.handles.runs.refresh();
    await this.fill("runs", this.runsPlace, async () => (await lazy(() => import("./run-history.js"))).showHistory(this.runsPlace, this.view.name, {
      onOpen: (run) => this.open(run),
      onCompare: (one, other) => go({ compare: `${one.id ?? one}...${other.id ?? other}` }),
      onReplay: (run) => this.view.follow(run),
    }));
    return null;
  }

  open(run) {
    this.view.follow(run);
    this.logPlace.scrollIntoView({ block: "nearest" });
  }

  async compare(one, other) {
    const key = `${one}...${other}`;
    if (key === this.compared) return;
    this.endComparison();
    this.compared = key;
    const place = element("div", {});
    const close = button("Close", () => go({ compare: "" }), { kind: "outline-secondary" });
    this.comparison.replaceChildren(panel("Comparison", place, { actions: close }));
    const { showComparison } = await lazy(() => import("./run-compare.js"));
    if (this.compared === key) this.handles.comparison = showComparison(place, one, other, {});
  }

  endComparison() {
    this.handles.comparison?.close();
    this.handles.comparison = null;
    this.compared = "";
    this.comparison.replaceChildren();
  }

  // A part that cannot be had says so, and can be tried again.
  async fill(name, place, work) {
    try {
      this.handles[name] = await work();
    } catch (error) {
      place.replaceChildren(element("p", { role: "alert" }, error.message), button("Try again", () => this.fill(name, place, work)));
    }
  }

  update() {
    this.showPhases();
    if (this.part === "versions") this.versions.show();
  }

  changed(mine) {
    this.showPhases();
    if (!mine.length) return;
    this.handles.runs?.refresh();
    if (mine.some((run) => run.state !== "running")) this.handles.outputs?.refresh();
  }

  close() {
    for (const handle of Object.values(this.handles)) handle?.close?.();
  }
}
