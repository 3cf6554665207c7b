// Versions of a twin's configuration: change defaults, compare, take back.

import { requestJson } from "./api.js";
import { ask, attempt, button, element, toast } from "./dom.js";
import { formatDate } from "./format.js";
import { ParameterForm } from "./twin-form.js";
import { panel } from "./twin-panel.js";
import { diffTable } from "./twin-diff.js";
import { twinApi } from "./twins-state.js";

export class Versions {
  constructor(view) {
    this.view = view;
    this.list = element("div", { "aria-live": "polite" });
    this.evolving = element("div", {});
    this.difference = element("div", { "aria-live": "polite" });
    this.root = element("div", {},
      panel("Evolve", this.evolving, { lead: "Change the defaults in twin.yaml, and run lifecycle/evolve where there is one. The configuration of now is kept as a version." }),
      panel("Versions of the configuration", element("div", {}, this.list, this.difference), { key: "versions" }));
  }

  async show() {
    this.showForm();
    try {
      const { versions } = await requestJson("GET", twinApi(this.view.name, "versions"), { signal: this.view.abort.signal });
      this.list.replaceChildren(versions.length ? this.table(versions) : element("p", { class: "tw-quiet" }, "No versions yet: the configuration was never evolved."));
    } catch (error) {
      if (error.name !== "AbortError") this.list.replaceChildren(element("p", { role: "alert" }, error.message), button("Try again", () => this.show()));
    }
  }

  showForm() {
    const { parameters, phases } = { ...this.view.twin, phases: this.view.live.phases };
    const key = JSON.stringify(parameters);
    if (key === this.key) return;
    this.key = key;
    this.form = new ParameterForm(this.view.name, parameters, { ranges: false, prefix: "default", memory: false, onChange: () => this.able() });
    this.go = element("button", { class: "btn btn-primary", type: "submit" }, "Evolve");
    this.note = element("span", { class: "tw-quiet" });
    const form = element("form", { class: "tw-execute", novalidate: true }, this.form.root, element("div", { class: "tw-start-line" }, this.go, this.note));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.evolve();
    });
    this.evolving.replaceChildren(parameters.length || phases.includes("evolve") ? form : element("p", { class: "tw-quiet" }, "There is nothing to evolve: the twin has neither parameters nor a program lifecycle/evolve."));
    this.able();
  }

  able() {
    const program = this.view.live.phases.includes("evolve");
    const count = this.wishes().length;
    this.go.disabled = !program && count === 0;
    this.note.textContent = count ? `New defaults: ${this.wishes().map(([name, value]) => `${name} = ${value}`).join(", ")}` : program ? "Runs lifecycle/evolve; no default is changed." : "Change a value first.";
  }

  wishes() {
    const defaults = Object.fromEntries(this.view.twin.parameters.map(({ name, default: preset }) => [name, preset]));
    return Object.entries(this.form.read().values).filter(([name, value]) => value !== defaults[name]);
  }

  async evolve() {
    if (!this.form.valid()) return;
    try {
      const { version, run } = await requestJson("POST", twinApi(this.view.name, "evolve"), { json: { set: Object.fromEntries(this.wishes()) } });
      toast(`Evolved. The configuration of before is version ${version.number}.`, { action: "Take back", seconds: 20, onAction: () => attempt(() => this.takeBack(version.number)) });
      await this.view.load();
      if (run) this.view.began(run);
    } catch (error) {
      if (!this.form.refuse(error)) await attempt(() => { throw error; });
    }
    this.show();
  }

  table(versions) {
    const newest = [...versions].sort((a, b) => b.number - a.number);
    const row = ({ number, created, reason }) => element("tr", {},
      element("th", { scope: "row" }, `Version ${number}`), element("td", {}, formatDate(created)), element("td", {}, reason ?? ""),
      element("td", { class: "tw-actions" },
        button("Compare with now", () => this.compare(number, "now"), { kind: "link" }),
        newest.some((other) => other.number === number - 1) ? button(`with ${number - 1}`, () => this.compare(number - 1, number), { kind: "link", "aria-label": `Compare version ${number - 1} with version ${number}` }) : null,
        button("Take back", () => this.askTakeBack(number), { kind: "outline-primary", "aria-label": `Take back version ${number}` })));
    return element("div", { class: "tw-scroll" }, element("table", { class: "tw-list tw-stacked" },
      element("thead", {}, element("tr", {}, ...["Version", "Kept", "Why"].map((label) => element("th", { scope: "col" }, label)), element("th", {}, element("span", { class: "visually-hidden" }, "Actions")))),
      element("tbody", {}, ...newest.map(row))));
  }

  async compare(old, fresh) {
    const found = await attempt(() => requestJson("GET", twinApi(this.view.name, `versions/${old}/compare/${fresh}`)));
    if (!found) return;
    const words = `From version ${old} to ${fresh === "now" ? "the configuration of now" : `version ${fresh}`}`;
    const heading = element("h3", { class: "h6", tabindex: "-1" }, words);
    this.difference.replaceChildren(element("div", { class: "tw-difference" }, heading,
      found.files.length ? null : element("p", { class: "tw-note tw-note-good" }, "They are the same."),
      ...found.files.map(({ path, change, diff }) => element("section", { class: "tw-part" }, element("h4", { class: "h6" }, `${path} `, element("span", { class: "tw-quiet" }, change)), diff ? diffTable(diff, path) : null))));
    heading.focus();
  }

  async askTakeBack(number) {
    const sure = await ask({ title: `Take back version ${number}?`, text: "The configuration becomes what it was then. The one of now is kept as a version first.", confirm: "Take back" });
    if (sure) await attempt(() => this.takeBack(number));
  }

  async takeBack(number) {
    const { version } = await requestJson("POST", twinApi(this.view.name, `versions/${number}/restore`), { json: {} });
    toast(`The configuration is that of version ${number}.`, { action: "Undo", seconds: 20, onAction: () => attempt(() => this.takeBack(version.number)) });
    await this.view.load();
    await this.show();
  }
}
