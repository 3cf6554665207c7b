// The Workbench page: the person's workspaces, what they use, and the ways into their tools.

import "./frame.js";
import { byId, element, showError } from "./dom.js";
import { ownersName } from "./workbench-words.js";
import { makePanel } from "./workbench-panel.js";
import { askForNew } from "./workbench-start.js";
import { askToStart, fetchWorkspaces } from "./workspace.js";

const PERIOD_MS = 5000;
const SOON_MS = 1000;
const panels = new Map();
let known = null;
let timer = 0;

function show(content) {
  known = content;
  const box = byId("workspaces");
  const servers = content.workspaces.map(({ server }) => server);
  for (const [server, panel] of panels) {
    if (servers.includes(server)) continue;
    panel.node.remove();
    panels.delete(server);
  }
  if (box.getAttribute("aria-busy")) box.replaceChildren();
  box.removeAttribute("aria-busy");
  for (const workspace of content.workspaces) {
    if (!panels.has(workspace.server)) {
      const panel = makePanel(workspace.server, { refresh, context: () => known });
      panels.set(workspace.server, panel);
      box.append(panel.node);
    }
    panels.get(workspace.server).show(workspace, content);
  }
  byId("new-workspace").hidden = servers.filter(Boolean).length >= content.named_limit;
  showTools();
}

// --- tools --------------------------------------------------------------------------

function showTools() {
  const choice = byId("tools-choice");
  const servers = known.workspaces.map(({ server }) => server);
  byId("tools-of").hidden = servers.length < 2;
  const chosen = servers.includes(choice.value) ? choice.value : "";
  if (servers.join() !== choice.dataset.servers) {
    choice.replaceChildren(...servers.map((server) => element("option", { value: server, selected: server === chosen }, ownersName(server))));
    choice.dataset.servers = servers.join();
  }
  const { tools, variant } = known.workspaces.find(({ server }) => server === chosen);
  const words = JSON.stringify(tools);
  if (words === byId("tools").dataset.shown) return;
  byId("tools").dataset.shown = words;
  byId("tools").replaceChildren(...tools.map((tool) => toolCard(tool, variant)));
}

function toolCard({ name, words, address, profiles }, variant) {
  const head = element("h3", { class: "h5" }, name);
  if (address) return element("a", { class: "tw-card tw-tool", href: address }, head, element("p", {}, words));
  const remedy = profiles.length
    ? `Not in the '${variant}' image of this workspace. Stop it and start it with the profile ${profiles.map((profile) => `'${profile}'`).join(" or ")}.`
    : `Not in the '${variant}' image of this workspace, and no profile that you may choose has it. An administrator can add one.`;
  return element("div", { class: "tw-card tw-missing" }, head, element("p", {}, words), element("p", { class: "small" }, remedy));
}

// --- looking again ------------------------------------------------------------------

async function refresh() {
  clearTimeout(timer);
  try {
    show(await fetchWorkspaces());
  } catch (error) {
    if (!known) byId("workspaces").replaceChildren(element("p", { class: "alert alert-danger", role: "alert" }, error.message));
  }
  schedule();
}

function schedule() {
  if (document.visibilityState !== "visible") return;
  const moving = known?.workspaces.some(({ state }) => state === "starting" || state === "stopping");
  timer = setTimeout(refresh, moving ? SOON_MS : PERIOD_MS);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.visibilityState === "visible") refresh();
});
byId("tools-choice").addEventListener("change", showTools);
byId("new-workspace").addEventListener("click", async () => {
  const wish = await askForNew(known).catch(showError);
  if (!wish) return;
  await askToStart(wish).catch(showError);
  await refresh(); // it is on the list now, and its panel follows the start
});
refresh();
