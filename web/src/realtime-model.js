// One model: its health, and a part for each tab.

import { ask, attempt, button, element, lazy, showError, toast } from "./dom.js";
import { formatSize, formatTime, plural } from "./format.js";
import { fetchModel, order, removeModel } from "./realtime-api.js";
import { MODEL_TABS } from "./realtime-address.js";
import { addressOf, go, here } from "./realtime-here.js";
import { poll } from "./realtime-live.js";
import { healthOf } from "./realtime-models.js";
import { openMenu } from "./menu.js";
import { badgeOf, figure, rateWords, stateWords, typeWords } from "./realtime-words.js";
import { makeTabs } from "./twin-tabs.js";

const PERIOD_MS = 2000;
const RETRY_MS = 3000;
const LABELS = { overview: "Overview", instances: "Instances", map: "Map", send: "Send", devices: "Devices", "dead-letters": "Dead letters", versions: "Versions" };
const PARTS = {
  instances: () => import("./realtime-instances.js"),
  map: () => import("./realtime-map-tab.js"),
  send: () => import("./realtime-send.js"),
  devices: () => import("./realtime-devices.js"),
  "dead-letters": () => import("./realtime-dead.js"),
};

export async function open(place, { name }) {
  let model = await fetchModel(name);
  const badge = element("span", { class: "tw-badge" });
  const reason = element("p", { class: "tw-quiet tw-reason" });
  const more = button("⋯", () => openMenu(more, actions()), { "aria-haspopup": "menu", "aria-label": `More for ${name}` });
  const tabs = makeTabs({ label: `Parts of ${name}`, prefix: "model", tabs: MODEL_TABS.map((id) => ({ id, label: LABELS[id] })), onChoose: (tab) => go({ view: "models", name, tab }) });
  place.append(element("div", { class: "tw-twin-head" },
    element("a", { class: "tw-back", "data-go": true, href: addressOf({}) }, "← All models"),
    element("div", { class: "tw-twin-name" }, element("h2", { class: "h4 m-0" }, name), badge),
    button("New version …", () => newVersion()), more, reason), tabs.list, tabs.panel);

  let part = null;
  let shownTab = "";

  async function showTab(tab) {
    if (tab === shownTab && part?.move) return part.move(here);
    part?.close?.();
    part = null;
    shownTab = tab;
    tabs.choose(tab);
    const box = element("div", {});
    tabs.panel.replaceChildren(box);
    try {
      const opened = tab === "overview" ? overview(box, model) : tab === "versions" ? versions(box, model, reload) : await lazy(PARTS[tab]).then(({ open: start }) => start(box, { model, reload }));
      if (box.isConnected) part = opened;
      else opened?.close?.();
    } catch (error) {
      if (box.isConnected) failed(box, error);
    }
    return undefined;
  }

  // Workers that are just starting answer in a moment.
  function failed(box, error) {
    box.replaceChildren(element("div", { class: "tw-panel" }, element("p", { class: "alert alert-danger mb-2", role: "alert" }, error.message), button("Try again", retry)));
    if (error.status >= 500 || error.status === 0) setTimeout(() => box.isConnected && retry(), RETRY_MS);
  }

  const retry = () => {
    const tab = shownTab;
    shownTab = "";
    showTab(tab).catch(showError);
  };

  function fill() {
    badge.textContent = model.state;
    badge.dataset.state = badgeOf(model.state);
    reason.textContent = model.reason ? `${stateWords(model.state)}: ${model.reason}` : "";
    part?.fill?.(model);
  }

  async function reload(signal) {
    model = await fetchModel(name, signal);
    fill();
  }

  async function newVersion() {
    const { askToDeploy } = await lazy(() => import("./realtime-deploy.js"));
    const made = await askToDeploy({ name }).catch(showError);
    if (!made) return;
    toast(`'${made.name}' has version ${made.version} now; its instances go on with it.`);
    if (made.name === name) await attempt(() => reload());
    else go({ view: "models", name: made.name });
  }

  const actions = () => [
    model.enabled === false ? { label: "Switch on", run: () => does("enable", `'${name}' is being started.`) } : { label: "Switch off", run: () => does("disable", `'${name}' is switched off. Its messages are refused until it is switched on.`) },
    null,
    { label: "Delete", danger: true, run: removeIt },
  ];

  const does = (verb, words) => attempt(async () => {
    await order(name, verb);
    toast(words);
    await reload();
  });

  async function removeIt() {
    const sure = await ask({ title: `Delete '${name}'?`, text: `Its ${plural(model.instances ?? 0, "instance")} end. It can be brought back for some time.`, confirm: "Delete", danger: true, submit: () => removeModel(name) });
    if (!sure) return;
    go({ view: "models" });
    toast(`Deleted '${name}'.`, { action: "Undo", seconds: 20, onAction: () => attempt(async () => {
      await order(name, "restore");
      go({ view: "models", name });
    }) });
  }

  fill();
  await showTab(here.tab).catch(showError);
  const end = poll(reload, PERIOD_MS, (error) => { reason.textContent = error.message; });
  return {
    close: () => {
      end();
      part?.close?.();
      shownTab = "";
    },
    move: () => { showTab(here.tab).catch(showError); },
  };
}

// --- overview ---------------------------------------------------------------------

function overview(box, model) {
  const figures = element("dl", { class: "tw-figures tw-figures-wide" });
  const workers = element("tbody", {});
  const none = element("p", { class: "tw-quiet" }, "No worker runs now.");
  const table = element("div", { class: "tw-scroll", tabindex: "0", role: "region", "aria-label": "Workers" }, element("table", { class: "tw-list" },
    element("thead", {}, row("th", ["Worker", "Version", "Partitions", "Instances", "Messages", "Waiting", "Memory", "Restarts", "Trouble"])), workers));
  const fields = model.schema?.fields ?? [];
  box.append(element("div", { class: "tw-panel tw-part" }, figures),
    element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "Workers"), none, table),
    element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "State of an instance"), fieldTable(fields)));
  const fill = (now) => {
    figures.replaceChildren(...healthOf(now).map(([label, value]) => element("div", {}, element("dt", {}, label), element("dd", {}, value))));
    const list = now.workers ?? [];
    none.hidden = list.length > 0;
    table.hidden = list.length === 0;
    workers.replaceChildren(...list.map((one) => row("td", [one.worker, one.version, `${one.partitions?.length ?? 0}${one.loading?.length ? ` + ${one.loading.length} loading` : ""}`, figure(one.instances), rateWords(one.rate ?? 0), figure(one.lag), formatSize(one.memory_bytes ?? 0), figure(one.restarts), one.trouble ?? ""])));
  };
  fill(model);
  return { fill };
}

const row = (tag, cells) => element("tr", {}, ...cells.map((cell) => element(tag, tag === "th" ? { scope: "col" } : {}, cell instanceof Node ? cell : String(cell))));

function fieldTable(fields) {
  if (!fields.length) return element("p", { class: "tw-quiet" }, "Its fields are not known yet.");
  return element("div", { class: "tw-scroll", tabindex: "0", role: "region", "aria-label": "Fields" }, element("table", { class: "tw-list" }, element("thead", {}, row("th", ["Field", "Type", "Unit", "Default"])),
    element("tbody", {}, ...fields.map(({ name, type, unit, default: preset }) => row("td", [name, typeWords(type), unit ?? "", preset === undefined ? "" : figure(preset)])))));
}

// --- versions ---------------------------------------------------------------------

function versions(box, model, reload) {
  const body = element("tbody", {});
  box.append(element("div", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "Versions"),
    element("div", { class: "tw-scroll", tabindex: "0", role: "region", "aria-label": "Versions" }, element("table", { class: "tw-list" },
      element("thead", {}, row("th", ["Version", "Deployed", "By", "What is new", element("span", { class: "visually-hidden" }, "Actions")])), body)),
    element("p", { class: "tw-quiet" }, "Rolling back runs the older code from the next message on. States stay: fields that it does not know are dropped, others get their defaults.")));
  let shown = "";
  const fill = (now) => {
    const words = JSON.stringify([now.version, now.versions]);
    if (words === shown) return;
    shown = words;
    body.replaceChildren(...(now.versions ?? []).toSorted((one, other) => other.version - one.version).map((one) => {
      const line = row("td", [one.version, one.deployed_at ? formatTime(one.deployed_at) : "", one.deployed_by ?? "", one.note ?? "", ""]);
      line.lastChild.append(one.version === now.version ? element("span", { class: "tw-badge", "data-state": "running" }, "runs") : button("Roll back", () => rollBack(now.name, one.version, reload), { "aria-label": `Roll back to version ${one.version}` }));
      return line;
    }));
  };
  fill(model);
  return { fill };
}

async function rollBack(name, version, reload) {
  const sure = await ask({ title: `Run version ${version} of '${name}' again?`, text: "Its instances go on with the older code from their next message on. You can go forward again in the same way.", confirm: "Roll back", submit: () => order(name, "rollback", { version }) });
  if (!sure) return;
  toast(`'${name}' runs version ${version}.`);
  await attempt(() => reload());
}
