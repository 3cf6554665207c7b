// One dashboard: widgets that are live, and can be added, edited, moved and removed; each change is saved at once.

import { ask, attempt, button, element, lazy, showError, toast } from "./dom.js";
import { plural } from "./format.js";
import { fetchDashboard, saveDashboard } from "./realtime-api.js";
import { makeChart } from "./realtime-chart.js";
import { addressOf, go, here } from "./realtime-here.js";
import { watchAggregate } from "./realtime-live.js";
import { liveMap } from "./realtime-map-live.js";
import { openMenu } from "./menu.js";

export async function open(place, { name }) {
  const content = await fetchDashboard(name);
  let widgets = content.widgets ?? [];
  const live = new Map();
  const grid = element("div", { class: "tw-dashboard" });
  const none = element("div", { class: "tw-panel tw-empty", hidden: true }, element("p", { class: "h5" }, "Nothing on it yet"), element("p", {}, "Add a widget here, or from a question under Query."), button("Add a widget …", () => edit(-1), { kind: "primary", small: false }));
  const heading = element("h2", { class: "h4 m-0" }, content.title || name);
  place.append(element("div", { class: "tw-twin-head" }, element("a", { class: "tw-back", "data-go": true, href: addressOf({ view: "dashboards" }) }, "← All dashboards"),
    element("div", { class: "tw-twin-name" }, heading), button("Save as file", saveFile), button("Rename …", rename), button("Add a widget …", () => edit(-1), { kind: "primary" })), none, grid);

  function draw() {
    none.hidden = widgets.length > 0;
    const wanted = new Set(widgets);
    for (const [widget, { close, node }] of live) {
      if (wanted.has(widget)) continue;
      close();
      node.remove();
      live.delete(widget);
    }
    for (const widget of widgets) if (!live.has(widget)) live.set(widget, startWidget(widget, (button) => openMenu(button, actions(widget))));
    const nodes = widgets.map((widget) => live.get(widget).node);
    // Moving a node within the page would stop and start what is drawn in it, so only what is out of place is moved.
    nodes.forEach((node, at) => { if (grid.children[at] !== node) grid.insertBefore(node, grid.children[at] ?? null); });
  }

  async function use(next, words) {
    const before = widgets;
    widgets = next;
    draw();
    try {
      await saveDashboard(name, { title: heading.textContent, widgets });
      if (words) toast(words, { action: "Undo", seconds: 15, onAction: () => attempt(() => use(before)) });
    } catch (error) {
      widgets = before;
      draw();
      throw error;
    }
  }

  function actions(widget) {
    const at = widgets.indexOf(widget);
    const swap = (to) => {
      const next = [...widgets];
      [next[at], next[to]] = [next[to], next[at]];
      attempt(() => use(next)).then(() => live.get(widget)?.node.querySelector("button")?.focus());
    };
    const replaced = (changed) => attempt(() => use(widgets.map((one) => (one === widget ? changed : one))));
    return [
      { label: "Edit …", run: () => edit(at) },
      ...(widget.kind === "map" ? [] : [{ label: "Open as a query", run: () => go({ view: "query", words: { model: widget.model, q: JSON.stringify(widget.question), as: widget.kind } }) }]),
      ...(at > 0 ? [{ label: "Move forward", run: () => swap(at - 1) }] : []),
      ...(at < widgets.length - 1 ? [{ label: "Move back", run: () => swap(at + 1) }] : []),
      { label: widget.options?.wide ? "Make narrow" : "Make wide", run: () => replaced({ ...widget, options: { ...widget.options, wide: !widget.options?.wide } }) },
      null,
      { label: "Remove", danger: true, run: () => attempt(() => use(widgets.filter((one) => one !== widget), `Removed '${widget.title}'.`)) },
    ];
  }

  async function edit(at) {
    try {
      const { askForWidget } = await lazy(() => import("./realtime-widget-form.js"));
      const made = await askForWidget(at < 0 ? null : widgets[at]);
      if (made) await use(at < 0 ? [...widgets, made] : widgets.map((one, index) => (index === at ? made : one)));
    } catch (error) {
      showError(error);
    }
  }

  function saveFile() {
    const address = URL.createObjectURL(new Blob([JSON.stringify({ title: heading.textContent, widgets }, null, 1)], { type: "application/json" }));
    element("a", { href: address, download: `${name}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  async function rename() {
    const done = await ask({ title: "Rename", fields: [{ name: "title", label: "Title", value: heading.textContent }], validate: ({ title }) => (title.trim() ? "" : "Type a title."), submit: ({ title }) => saveDashboard(name, { title: title.trim(), widgets }) });
    if (done) heading.textContent = done.title.trim();
  }

  draw();
  return { close: () => live.forEach(({ close }) => close()), move: () => {} };
}

function startWidget(widget, onMenu) {
  const { kind, title, model, question = {}, options = {} } = widget;
  const problem = element("p", { class: "text-danger m-0", role: "alert", hidden: true });
  const note = element("p", { class: "tw-quiet m-0", role: "status", hidden: true });
  const menu = button("⋯", () => onMenu(menu), { "aria-haspopup": "menu", "aria-label": `Change ${title}` });
  const box = element("div", { class: "tw-widget-box" });
  const node = element("div", { class: `tw-panel tw-widget${options.wide ? " tw-widget-wide" : ""}`, role: "group", "data-kind": kind, "aria-label": title }, element("header", {}, element("h3", { class: "h6 m-0" }, title), menu), problem, box, note);
  const failed = (error) => {
    problem.textContent = error.message;
    problem.hidden = false;
  };
  try {
    if (kind === "map") {
      const made = liveMap({ model, x: options.x, y: options.y, value: options.value, where: question.where, label: title, onChoose: (id) => go({ view: "models", name: model, tab: "instances", id, words: here.words.owner ? { owner: here.words.owner } : {} }) });
      box.append(made.node);
      return { node, close: made.close };
    }
    const chart = makeChart(kind, question, { title, unit: options.unit ?? "" });
    box.append(chart.node);
    const end = watchAggregate(model, question, { onAnswer: (answer) => {
      problem.hidden = true;
      const missing = answer.missing_partitions?.length ?? 0;
      note.hidden = missing === 0;
      note.textContent = missing ? `${plural(missing, "partition")} did not answer: incomplete.` : "";
      chart.show(answer);
    }, onError: failed });
    return { node, close: () => { end(); chart.close(); } };
  } catch (error) {
    // What somebody stored may be anything; one widget must not cost the others.
    failed(new Error(`This widget cannot be shown: ${error.message}. Edit or remove it.`));
    return { node, close: () => {} };
  }
}
