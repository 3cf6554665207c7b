// All dashboards of a person.

import { ask, attempt, button, element, toast } from "./dom.js";
import { readDashboard } from "./realtime-text.js";
import { formatTime, plural } from "./format.js";
import { fetchDashboards, removeDashboard, restoreDashboard, saveDashboard } from "./realtime-api.js";
import { addressOf, go } from "./realtime-here.js";

const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/;

export async function open(place) {
  const cards = element("ul", { class: "tw-cards", "aria-label": "Dashboards" });
  const none = element("div", { class: "tw-panel tw-empty", hidden: true }, element("p", { class: "h5" }, "No dashboard yet"),
    element("p", {}, "A dashboard shows figures, bars, lines and maps over all instances, live."), button("New dashboard …", make, { kind: "primary", small: false }));
  const file = element("input", { id: "dashboard-file", class: "visually-hidden", type: "file", accept: ".json,application/json" });
  file.addEventListener("change", () => attempt(() => take(file.files[0])));
  const gone = element("section", { hidden: true, "aria-labelledby": "gone-title" });
  place.append(element("div", { class: "tw-bar" }, element("h2", { class: "h5 m-0" }, "Dashboards"), element("span", { class: "tw-tools" },
    element("label", { class: "btn btn-outline-secondary btn-sm", for: "dashboard-file" }, "Import …"), file, button("New dashboard …", make, { kind: "primary" }))), none, cards, gone);

  async function look() {
    const { dashboards, deleted = [] } = await fetchDashboards();
    none.hidden = dashboards.length > 0;
    cards.replaceChildren(...dashboards.map(({ name, title, widgets, changed_at: at }) => element("li", { class: "tw-card tw-twin" }, element("div", { class: "tw-twin-body" },
      element("header", {}, element("h3", { class: "h5 m-0" }, element("a", { class: "tw-twin-title", "data-go": true, href: addressOf({ view: "dashboards", name }) }, title || name)),
        button("Delete", () => removeIt(name, title || name), { kind: "outline-danger", class: "btn btn-sm btn-outline-danger tw-above", "aria-label": `Delete ${title || name}` })),
      element("p", { class: "tw-quiet" }, [typeof widgets === "number" ? plural(widgets, "widget") : "", at ? `changed ${formatTime(typeof at === "number" ? at : Date.parse(at) / 1000)}` : ""].filter(Boolean).join(" · "))))));
    gone.hidden = deleted.length === 0;
    gone.replaceChildren(element("h2", { class: "h6", id: "gone-title" }, "Deleted, can still be brought back"), element("ul", { class: "tw-plain" }, ...deleted.map(({ name, title }) => element("li", {}, title || name, " ", button("Restore", () => bring(name), { "aria-label": `Restore ${title || name}` })))));
  }

  // A dashboard.json, as every example has one; a name that is taken is kept apart.
  async function take(chosen) {
    if (!chosen) return;
    const content = readDashboard(chosen.name, await chosen.text());
    file.value = "";
    const { dashboards } = await fetchDashboards();
    const plain = content.title.replace(/[^A-Za-z0-9 ._-]/g, "").replace(/^[^A-Za-z0-9]+/, "").slice(0, 90) || "imported";
    let name = plain;
    for (let number = 2; dashboards.some((one) => one.name === name); number += 1) name = `${plain} ${number}`;
    await saveDashboard(name, content);
    go({ view: "dashboards", name });
  }

  const bring = (name) => attempt(async () => {
    await restoreDashboard(name);
    await look();
  });

  async function make() {
    const made = await ask({ title: "A new dashboard", fields: [{ name: "name", label: "Name" }], confirm: "Make it", validate: ({ name }) => (NAME.test(name.trim()) ? "" : "A name begins with a letter or digit and has letters, digits, spaces, '.', '_' and '-', at most 100."),
      submit: ({ name }) => saveDashboard(name.trim(), { title: name.trim(), widgets: [] }) });
    if (made) go({ view: "dashboards", name: made.name.trim() });
  }

  const removeIt = (name, title) => attempt(async () => {
    await removeDashboard(name);
    await look();
    toast(`Deleted '${title}'.`, { action: "Undo", seconds: 20, onAction: () => bring(name) });
  });

  await look();
  return {};
}
