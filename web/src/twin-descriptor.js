// twin.yaml: its problems with line and column, and editing it in place.

import { fetchText, writeText } from "./assets.js";
import { attempt, button, element, lazy, toast } from "./dom.js";
import { plural } from "./format.js";
import { fill, panel } from "./twin-panel.js";
import { me } from "./twins-here.js";

const BEGINNING = (title) => `# What the page, the command and other people should know of this twin. All of it is optional.
title: ${JSON.stringify(title)}
description: ""
# uses:
#   models: [tank]
# parameters:
#   level: {type: real, unit: m, default: 1.0, range: [0, 5], description: At the start}
`;

export class Descriptor {
  constructor(view, { onSaved }) {
    this.view = view;
    this.onSaved = onSaved;
    this.body = element("div", {});
    this.button = button("Reconfigure", () => this.edit(), { kind: "outline-primary", title: "Edit twin.yaml" });
    this.root = panel("Configuration", this.body, { actions: this.button, key: "configuration" });
  }

  show({ problems = [], parameters = [], uses = [] }) {
    const line = (problem) => element("li", { "data-level": problem.level === "error" ? "missing" : "warning" },
      element("span", { class: "tw-mark", "aria-hidden": "true" }, problem.level === "error" ? "✗" : "!"),
      element("div", {}, problem.line ? element("button", { class: "btn btn-link tw-line-link", type: "button", onclick: () => this.edit(problem) }, `Line ${problem.line}, column ${problem.column}`) : null,
        element("div", {}, problem.what), problem.fix ? element("div", { class: "tw-fix" }, problem.fix) : null));
    fill(this.body,
      element("p", { class: "tw-quiet" }, `${plural(parameters.length, "parameter")}, ${plural(uses.length, "asset")} used. Kept in `, element("code", {}, "twin.yaml"), "."),
      problems.length ? element("ul", { class: "tw-findings" }, ...problems.map(line)) : null);
  }

  async edit(problem = null) {
    const path = `${me}/digital_twins/${this.view.name}/twin.yaml`;
    await attempt(async () => {
      const there = await fetchText(path).catch((error) => {
        if (error.code === "not_found") return null;
        throw error;
      });
      if (!there) {
        await writeText(path, BEGINNING(this.view.live?.title ?? this.view.name), null);
        toast("Made twin.yaml.");
      }
      const { openEditor } = await lazy(() => import("./editor.js"));
      await openEditor({ path, at: problem, onSaved: () => this.onSaved() });
      this.button.focus();
    });
  }
}
