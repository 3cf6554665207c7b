// Explore: is everything there that the twin needs; each finding with its remedy.

import { requestJson } from "./api.js";
import { attempt, button, element } from "./dom.js";
import { fill, panel } from "./twin-panel.js";
import { summary } from "./twin-words.js";
import { twinApi } from "./twins-state.js";

const MARKS = { missing: ["✗", "missing"], warning: ["!", "warning"], ok: ["✓", "in order"] };
const ORDER = Object.keys(MARKS);

export class Explore {
  constructor(view) {
    this.view = view;
    this.button = button("Explore", () => this.run(), { kind: "outline-primary", "aria-describedby": "explore-lead" });
    this.result = element("div", { role: "status", "aria-live": "polite" });
    this.own = element("p", { class: "tw-quiet", hidden: true }, "It has a check of its own, lifecycle/explore. ", button("Run it", () => attempt(() => view.start("explore")), { kind: "link", class: "btn btn-sm btn-link tw-line-link", "aria-label": "Run explore of this twin" }));
    this.root = panel("Explore", element("div", {}, element("p", { class: "tw-quiet", id: "explore-lead" }, "Looks whether assets, tools, connections and services are there and fit. Nothing is run or changed."), this.result, this.own), { actions: this.button });
  }

  update() {
    this.own.hidden = !this.view.live.phases.includes("explore");
  }

  async run() {
    this.button.disabled = true;
    this.result.replaceChildren(element("p", { class: "tw-quiet" }, "Looking …"));
    try {
      const report = await requestJson("POST", twinApi(this.view.name, "explore"), { json: {}, signal: this.view.abort.signal });
      this.show(report);
    } catch (error) {
      this.result.replaceChildren(element("p", { role: "alert" }, error.message));
    } finally {
      this.button.disabled = false;
    }
  }

  show(report) {
    const bad = report.findings.some(({ level }) => level === "missing");
    const sorted = [...report.findings].sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
    const good = sorted.filter(({ level }) => level === "ok");
    fill(this.result,
      element("p", { class: `tw-note ${bad ? "tw-note-bad" : "tw-note-good"}` }, summary(report)),
      list(sorted.filter(({ level }) => level !== "ok")),
      good.length ? element("details", { class: "tw-as-list" }, element("summary", {}, `${good.length} in order`), list(good)) : null);
  }
}

function list(findings) {
  return element("ul", { class: "tw-findings" }, ...findings.map(({ subject, level, what, fix }) => element("li", { "data-level": level },
    element("span", { class: "tw-mark", "aria-hidden": "true" }, MARKS[level]?.[0] ?? "·"), element("span", { class: "visually-hidden" }, `${MARKS[level]?.[1] ?? level}: `),
    element("div", {}, element("strong", {}, subject), element("div", {}, what), fix && level !== "ok" ? element("div", { class: "tw-fix" }, fix) : null))));
}
