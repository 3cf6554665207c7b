// Snapshots of a twin: its state and its outputs under a name; what is restored can be taken back.

import { requestJson } from "./api.js";
import { ask, attempt, button, element, toast } from "./dom.js";
import { formatDate, formatSize, nameProblem, plural } from "./format.js";
import { panel } from "./twin-panel.js";
import { forget, twinApi } from "./twins-state.js";

const address = (twin, name, rest = "") => twinApi(twin, `snapshots/${encodeURIComponent(name)}${rest}`);

// Ask for a name and save; gives the snapshot or null. What was typed stays when it is refused.
export async function askSnapshot(twin) {
  let made = null;
  await ask({
    title: `Save a snapshot of '${twin}'`,
    text: "Its folder and its outputs are kept under this name, and can be brought back.",
    fields: [{ name: "name", label: "Name", hint: "Left empty, it is named after the time." }],
    confirm: "Save",
    validate: ({ name }) => (name.trim() === "" ? "" : nameProblem(name.trim())),
    submit: async ({ name }) => { made = await requestJson("POST", twinApi(twin, "snapshots"), { json: name.trim() ? { name: name.trim() } : {} }); },
  });
  if (made) toast(`Saved the snapshot '${made.name}'.`);
  return made;
}

export class Snapshots {
  constructor(view) {
    this.view = view;
    this.list = element("div", { "aria-live": "polite" });
    this.root = panel("Snapshots", this.list, {
      lead: "State and outputs under a name. Restoring keeps what is there now as a snapshot first, so it can be taken back.",
      actions: button("Save a snapshot", async () => { if (await askSnapshot(view.name)) await this.show(); }, { kind: "primary" }),
    });
  }

  async show() {
    try {
      const { snapshots } = await requestJson("GET", twinApi(this.view.name, "snapshots"), { signal: this.view.abort.signal });
      this.list.replaceChildren(snapshots.length ? this.table(snapshots) : element("p", { class: "tw-quiet" }, "No snapshots yet."));
    } catch (error) {
      if (error.name !== "AbortError") this.list.replaceChildren(element("p", { role: "alert" }, error.message), button("Try again", () => this.show()));
    }
  }

  table(snapshots) {
    const row = (snapshot) => element("tr", {},
      element("th", { scope: "row" }, snapshot.name, ...(snapshot.notes ?? []).map((note) => element("div", { class: "tw-quiet" }, note))),
      element("td", {}, formatDate(snapshot.created)), element("td", {}, `${plural(snapshot.files, "file")}, ${formatSize(snapshot.size_bytes)}`),
      element("td", { class: "tw-actions" },
        button("Restore", () => this.restore(snapshot), { kind: "outline-primary", "aria-label": `Restore ${snapshot.name}` }),
        button("Delete", () => this.remove(snapshot), { kind: "outline-danger", "aria-label": `Delete ${snapshot.name}` })));
    return element("div", { class: "tw-scroll" }, element("table", { class: "tw-list tw-stacked" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Name"), element("th", { scope: "col" }, "Saved"), element("th", { scope: "col" }, "Holds"), element("th", {}, element("span", { class: "visually-hidden" }, "Actions")))),
      element("tbody", {}, ...snapshots.map(row))));
  }

  async restore(snapshot) {
    const sure = await ask({ title: `Restore '${snapshot.name}'?`, text: `The twin's folder and its outputs become what they were on ${formatDate(snapshot.created)}. What is there now is kept as a snapshot first.`, confirm: "Restore" });
    if (!sure) return;
    const done = await attempt(() => requestJson("POST", address(this.view.name, snapshot.name, "/restore"), { json: {} }));
    if (!done) return;
    this.after(`Restored '${snapshot.name}'.`, done.before);
  }

  after(words, kept) {
    toast(words, kept ? { action: "Undo", seconds: 30, onAction: () => attempt(async () => {
      await requestJson("POST", address(this.view.name, kept, "/restore"), { json: {} });
      this.after("Taken back.", null);
    }) } : {});
    this.show();
    this.view.load();
  }

  async remove(snapshot) {
    const gone = await attempt(() => forget(this.view.name, "snapshots", snapshot.name));
    if (!gone) return;
    toast(`Deleted the snapshot '${snapshot.name}'.`, { action: "Undo", seconds: 30, onAction: () => attempt(async () => {
      await requestJson("POST", address(this.view.name, snapshot.name, "/undelete"), { json: {} });
      await this.show();
    }) });
    await this.show();
  }
}
