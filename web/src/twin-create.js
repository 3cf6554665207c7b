// Create: what the twin is made of, whether all of it is there, making it ready, and its configuration.

import { addressOf } from "./address.js";
import { requestJson } from "./api.js";
import { graphql } from "./assets.js";
import { attempt, button, element, lazy } from "./dom.js";
import { encodePath } from "./format.js";
import { phaseButtons } from "./twin-card.js";
import { Descriptor } from "./twin-descriptor.js";
import { Explore } from "./twin-explore.js";
import { MEANING } from "./twin-phases.js";
import { showComposition } from "./twin-picture.js";
import { fill, panel } from "./twin-panel.js";
import { phasesOf } from "./twin-view.js";
import { here, go, me } from "./twins-here.js";
import { twinApi } from "./twins-state.js";

export class CreateTab {
  constructor(view) {
    this.view = view;
    this.logPlace = element("div", { class: "tw-log-place" });
    this.picture = element("div", { class: "tw-picture-place" });
    this.readme = element("div", {});
    this.files = element("div", {});
    this.facts = element("div", {});
    this.phases = element("div", { class: "tw-phase-list" });
    this.explore = new Explore(view);
    this.descriptor = new Descriptor(view, { onSaved: () => this.saved() });
    this.root = element("div", { class: "tw-two" },
      element("div", { class: "tw-wide" },
        panel("Composition", this.picture),
        this.logPlace,
        panel("README", this.readme, { quiet: true, level: 3 })),
      element("div", { class: "tw-side" },
        panel("Make it ready", this.phases),
        this.explore.root,
        this.descriptor.root,
        panel("Services and ports", this.facts, { key: "facts" }),
        panel("Files", this.files)));
    this.update(view.twin, { loaded: true });
  }

  show() {
    if (!here.edit) return;
    go({ edit: "" }, { replace: true });
    this.descriptor.edit();
  }

  update(twin) {
    this.showPhases();
    this.explore.update();
    this.descriptor.show(twin);
    this.showFacts(twin);
    this.load();
  }

  showPhases() {
    const twin = this.view.live;
    const phases = phasesOf("create", twin).filter((phase) => phase !== "explore");
    const buttons = phaseButtons(twin, { phases, start: (phase) => this.view.start(phase) });
    const missing = ["create", "clean"].filter((phase) => !phases.includes(phase));
    fill(this.phases,
      ...phases.map((phase, index) => element("div", { class: "tw-phase-line" }, buttons[index], element("span", { class: "tw-quiet" }, MEANING[phase]))),
      missing.length ? element("p", { class: "tw-quiet" }, `It has no program lifecycle/${missing.join(" and no lifecycle/")}${phases.length ? "" : ", so there is nothing to do before it runs"}.`) : null);
  }

  changed(mine) {
    this.showPhases();
    this.explore.update();
    if (mine.some((run) => run.state !== "running")) this.load();
  }

  saved() {
    this.view.load();
  }

  load() {
    attempt(() => Promise.all([this.showPicture(), this.showText()]));
  }

  async showPicture() {
    try {
      const composition = await requestJson("GET", twinApi(this.view.name, "composition"), { signal: this.view.abort.signal });
      const key = JSON.stringify(composition);
      if (key === this.drawn) return;
      this.drawn = key;
      this.composition?.close();
      this.composition = showComposition(this.picture, composition);
    } catch (error) {
      if (error.name !== "AbortError") this.picture.replaceChildren(element("p", { role: "alert" }, error.message), button("Try again", () => this.showPicture()));
    }
  }

  async showText() {
    const path = `${me}/digital_twins/${this.view.name}`;
    const listing = requestJson("GET", `/lib/files/${encodePath(path)}/?first=60`).catch(() => ({ entries: [], total: 0 }));
    const { asset } = await graphql("query($path: String!) { asset(path: $path) { readme } }", { path }).catch(() => ({ asset: { readme: null } }));
    if (asset?.readme) {
      const { renderMarkdown } = await lazy(() => import("./markdown.js"));
      this.readme.replaceChildren(renderMarkdown(asset.readme, { folder: path, root: path, me }));
    } else this.readme.replaceChildren(element("p", { class: "tw-quiet" }, "It has no README.md. ", element("a", { href: addressOf(path, me, { isFolder: true, open: true }) }, "Write one in the Library"), " to tell what it is for."));
    this.showFiles(path, await listing);
  }

  showFiles(path, { entries, total }) {
    const link = (entry) => element("li", {},
      element("span", { class: "tw-icon", "data-kind": entry.type === "tree" ? "folder" : "file", "aria-hidden": "true" }),
      element("a", { href: addressOf(`${path}/${entry.name}`, me, { isFolder: entry.type === "tree", open: true }) }, entry.name));
    fill(this.files,
      element("ul", { class: "tw-file-list" }, ...entries.filter(({ name }) => !name.startsWith(".") && name !== "__pycache__").map(link)),
      total > entries.length ? element("p", { class: "tw-quiet" }, `and ${total - entries.length} more`) : null,
      element("div", { class: "tw-links" },
        element("a", { class: "btn btn-sm btn-outline-secondary", href: addressOf(path, me, { isFolder: true, open: true }) }, "Open in the Library"),
        element("a", { class: "btn btn-sm btn-outline-secondary", href: `/user/${encodeURIComponent(me)}/lab/tree/digital_twins/${encodePath(this.view.name)}` }, "Open in JupyterLab")));
  }

  showFacts({ services = [], ports = [] }) {
    const line = (name, words, description) => [element("dt", {}, name), element("dd", {}, words, description ? element("span", { class: "tw-quiet" }, ` ${description}`) : null)];
    this.root.querySelector("[data-panel=facts]").hidden = services.length + ports.length === 0;
    this.facts.replaceChildren(element("dl", { class: "tw-facts" },
      ...services.flatMap(({ name, type, address, description }) => line(name, `needs ${type}${address ? ` at ${address}` : ""}`, description)),
      ...ports.flatMap(({ name, port, protocol, description }) => line(name, `serves ${protocol} at port ${port} of the workspace`, description))));
  }

  close() {
    this.composition?.close();
  }
}
