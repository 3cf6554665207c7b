// One twin: its head and its tabs Create, Execute, Analyze. Each tab is made when it is first looked at.

import { requestJson } from "./api.js";
import { deleteAsset, restoreAsset } from "./assets.js";
import { ask, attempt, button, byId, element, lazy, toast } from "./dom.js";
import { encodePath } from "./format.js";
import { openMenu } from "./menu.js";
import { badge, twinPicture } from "./twin-card.js";
import { closeLog, follow, placeLog } from "./twin-log.js";
import { fill } from "./twin-panel.js";
import { PHASES, tabOfPhase } from "./twin-phases.js";
import { makeTabs } from "./twin-tabs.js";
import { go, here, me } from "./twins-here.js";
import { api, fetchRuns, fetchTwin, known, refresh, startRun, stopPhase, twinCalled } from "./twins-state.js";
import { twinAddress } from "./twins-address.js";

const TABS = [
  { id: "create", label: "Create", hint: "What it is made of, and making it ready (c)" },
  { id: "execute", label: "Execute", hint: "Running it (e)" },
  { id: "analyze", label: "Analyze", hint: "What came out, and what was before (a)" },
];
const LOADERS = {
  create: async () => (await lazy(() => import("./twin-create.js"))).CreateTab,
  execute: async () => (await lazy(() => import("./twin-execute.js"))).ExecuteTab,
  analyze: async () => (await lazy(() => import("./twin-analyze.js"))).AnalyzeTab,
};

let open = null;

export const openTwin = () => open;

// The tab that is shown when the address names none.
const usualTab = (twin) => (twin?.phases.includes("execute") ? "execute" : "create");

export async function showTwin() {
  if (open?.name !== here.twin) {
    closeTwin();
    open = new TwinView(here.twin);
    byId("twin-view").replaceChildren(open.root);
    await open.load();
  }
  await open?.showTab();
}

export function closeTwin() {
  open?.close();
  open = null;
  byId("twin-view").replaceChildren();
}

class TwinView {
  constructor(name) {
    Object.assign(this, { name, twin: null, made: new Map(), shown: "", abort: new AbortController() });
    this.tabs = makeTabs({ label: `Parts of ${name}`, tabs: TABS, onChoose: (tab) => go({ tab }), prefix: "twin" });
    this.head = element("header", { class: "tw-twin-head" });
    this.failure = element("div", {});
    this.logPlace = element("div", { class: "tw-log-place" });
    this.root = element("div", { class: "tw-twin-view" }, this.head, this.failure, this.tabs.list, this.tabs.panel);
    this.showHead(twinCalled(name) ?? { name, title: name, description: "", phases: [], running: [], last_run: null, problems: [], waiting: true });
  }

  get live() {
    const listed = twinCalled(this.name);
    return listed || this.twin ? { ...this.twin, ...listed } : null;
  }

  async load() {
    try {
      this.twin = { running: [], problems: [], parameters: [], uses: [], services: [], ports: [], ...await fetchTwin(this.name, this.abort.signal) };
      this.failure.replaceChildren();
      this.showHead(this.live);
      for (const tab of this.made.values()) tab.update?.(this.twin, { loaded: true });
    } catch (error) {
      if (error.name === "AbortError") return;
      this.failed(error);
    }
  }

  failed(error) {
    this.tabs.list.hidden = error.code === "twin_not_found";
    this.tabs.panel.hidden = !this.twin;
    this.failure.replaceChildren(element("div", { class: "tw-panel tw-empty" },
      element("p", { class: "h5" }, error.code === "twin_not_found" ? `There is no twin '${this.name}'` : "This twin cannot be shown"),
      element("p", { role: "alert" }, error.message),
      element("p", {}, element("a", { class: "btn btn-primary", href: twinAddress({}), "data-twin-go": "" }, "All twins"))));
  }

  showHead(twin) {
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    fill(this.head,
      element("a", { class: "tw-back", href: twinAddress({}), "data-twin-go": "", "data-part": "back" }, "← All twins"),
      element("div", { class: "tw-twin-name" }, twinPicture(twin), element("div", {}, element("h1", { tabindex: "-1" }, twin.title), twin.title === twin.name ? null : element("span", { class: "tw-quiet" }, twin.name))),
      twin.waiting ? null : badge(twin),
      ...twin.running.filter((run) => tabOfPhase(run.phase) !== this.shown).map((run) => button(`Stop ${run.phase}`, () => attempt(() => stopPhase(twin, run)), { kind: "danger", "aria-label": `Stop ${run.phase} of ${twin.title}`, "data-part": `stop-${run.phase}` })),
      twin.waiting ? null : button("More", (event) => this.menu(event.currentTarget), { "aria-haspopup": "menu", "data-part": "more", class: "btn btn-sm btn-outline-secondary tw-more-button" }));
    if (focused) (this.head.querySelector(`[data-part="${focused}"]`) ?? this.head.querySelector("[data-part=back]")).focus();
    document.title = `${twin.title} · Digital Twins · Twinhub`;
  }

  menu(anchor) {
    openMenu(anchor, [
      { label: "Details", run: () => go({ tab: "create" }) },
      { label: "Reconfigure: edit twin.yaml", run: () => go({ tab: "create", edit: "1" }) },
      null,
      { label: "Files in the Library", href: `/app/library/private/digital_twins/${encodePath(this.name)}` },
      { label: "Results in the Library", href: `/app/library/private/data/${encodePath(this.name)}` },
      { label: "Open in JupyterLab", href: `/user/${encodeURIComponent(me)}/lab/tree/digital_twins/${encodePath(this.name)}` },
      null,
      { label: "Delete …", danger: true, run: () => this.remove() },
    ], { label: `Actions for ${this.live?.title ?? this.name}` });
  }

  async remove() {
    const running = this.live?.running ?? [];
    const text = running.length ? `It is running (${running.map((run) => run.phase).join(", ")}). Stop it first, then delete it.` : `Its folder goes to the trash of the Library and can be brought back for 30 days. Results in data/${this.name} and the history of runs stay.`;
    const sure = await ask({ title: `Delete the twin '${this.name}'?`, text, ...(running.length ? { choices: [{ value: "", label: "Close" }] } : { confirm: "Delete", danger: true }) });
    if (!sure || running.length) return;
    const [deleted] = (await attempt(async () => [await deleteAsset(`${me}/digital_twins/${this.name}`)])) ?? [];
    if (!deleted) return;
    go({ twin: "", tab: "" });
    refresh().catch(() => {});
    toast(`Deleted '${this.name}'.`, { action: "Undo", seconds: 20, onAction: () => attempt(async () => { await restoreAsset(deleted.id); await refresh(); }) });
  }

  async showTab() {
    if (!this.twin) return;
    const tab = here.tab || usualTab(this.live);
    if (!here.tab) go({ tab }, { replace: true });
    this.tabs.choose(tab);
    if (!this.made.has(tab)) {
      const Tab = await attempt(LOADERS[tab]);
      if (!Tab || (here.tab || tab) !== tab || open !== this) return;
      if (!this.made.has(tab)) this.made.set(tab, new Tab(this));
    }
    const part = this.made.get(tab);
    if (this.shown !== tab) {
      this.made.get(this.shown)?.hide?.();
      this.shown = tab;
      this.tabs.panel.replaceChildren(part.root);
      this.showHead(this.live);
    }
    part.show?.();
    await this.showLog(tab, part);
  }

  // The log stands in the tab of its phase: the run that the address names, else what runs, else the last one.
  async showLog(tab, part) {
    placeLog(part.logPlace, { closable: tab !== "execute" });
    const named = here.run ? await attempt(() => requestJson("GET", api(`runs/${encodeURIComponent(here.run)}`))) : null;
    if (open !== this || this.shown !== tab) return;
    const fits = (run) => run && run.twin === this.name && tabOfPhase(run.phase) === tab;
    const last = this.live.last_run;
    const run = named ?? this.live.running.find(fits) ?? (tab === "execute" && last ? (fits(last) ? last : await this.lastOf(fits)) : null);
    if (open !== this || this.shown !== tab) return;
    if (run) this.follow(run);
    else closeLog();
    part.logShown?.(Boolean(run));
  }

  async lastOf(fits) {
    this.last ??= await fetchRuns(this.name, 50).catch(() => []);
    return this.last.find(fits);
  }

  follow(run) {
    follow(run, { onEnd: (ended) => this.made.get(this.shown)?.ended?.(ended) });
    this.made.get(this.shown)?.logShown?.(true);
  }

  // Start a phase and show its log where it belongs.
  async start(phase, parameters) {
    const run = await startRun(this.name, phase, parameters);
    this.began(run);
    return run;
  }

  began(run) {
    const tab = tabOfPhase(run.phase);
    if (this.shown === tab) {
      if (here.run) go({ run: "" }, { replace: true });
      this.follow(run);
      // Where the log stands below, it is brought into sight.
      if (matchMedia("(max-width: 64rem)").matches) this.made.get(tab).logPlace.scrollIntoView({ block: "start" });
    } else go({ tab, run: run.id });
  }

  changed({ runs }) {
    if (!this.live) return;
    this.showHead(this.live);
    const mine = runs.filter((run) => run.twin === this.name);
    if (mine.length) this.last = null;
    for (const tab of this.made.values()) tab.changed?.(mine);
  }

  close() {
    this.abort.abort();
    placeLog(null);
    closeLog();
    for (const tab of this.made.values()) tab.close?.();
  }
}

export const changed = (change) => { if (open && known.loaded) open.changed(change); };
export const phasesOf = (tab, twin) => PHASES.filter((phase) => tabOfPhase(phase) === tab && twin.phases.includes(phase));
