// The Digital Twins page: run and stop phases, follow their logs, look at what they made.

import "./frame.js";
import { request, requestJson } from "./api.js";
import { byId, element, showError } from "./dom.js";
import { encodePath, formatDuration, formatSize, formatTime, stripAnsi } from "./format.js";
import { fetchWorkspace, startWorkspace } from "./workspace.js";

const LONGEST_LOG = 400_000;
const REFRESH_MS = 4000;
const me = byId("twins").dataset.user;
const api = (path) => `/app/api/twins/${path}`;
const view = { following: null, abort: null, cards: new Map() };

// --- the list --------------------------------------------------------------------

async function load() {
  const { state } = await fetchWorkspace();
  byId("stopped").hidden = state === "ready";
  byId("running-area").hidden = state !== "ready";
  if (state === "ready") await showTwins();
}

async function showTwins() {
  const { twins } = await requestJson("GET", api(""));
  byId("none").hidden = twins.length > 0;
  for (const name of [...view.cards.keys()]) {
    if (!twins.some((twin) => twin.name === name)) {
      view.cards.get(name).root.remove();
      view.cards.delete(name);
    }
  }
  for (const twin of twins) {
    if (!view.cards.has(twin.name)) addCard(twin);
    updateCard(twin);
  }
}

function addCard(twin) {
  const status = element("span", { class: "tw-badge" });
  const phases = element("div", { class: "tw-phases" });
  const buttons = new Map();
  for (const phase of twin.phases) {
    const button = element("button", { class: "btn btn-outline-primary btn-sm", type: "button" }, phase);
    buttons.set(phase, button);
    phases.append(button);
  }
  const details = element("div", { class: "tw-links" },
    element("button", { class: "btn btn-sm btn-link", type: "button", onclick: () => showHistory(twin.name) }, "History"),
    element("a", { class: "btn btn-sm btn-link", href: `/app/library/private/data/${encodePath(twin.name)}` }, "Results"),
    element("a", { class: "btn btn-sm btn-link", href: `/app/library/private/digital_twins/${encodePath(twin.name)}` }, "Files"));
  const root = element("article", { class: "tw-card", "data-twin": twin.name, "aria-label": twin.title },
    element("header", {}, element("h2", { class: "h5" }, twin.title), status),
    element("p", { class: "text-body-secondary small" }, twin.description || twin.path),
    twin.phases.length ? phases : element("p", {}, "This folder has no programs in lifecycle/ yet."), details);
  view.cards.set(twin.name, { root, status, buttons });
  byId("cards").append(root);
}

function updateCard(twin) {
  const card = view.cards.get(twin.name);
  const running = new Map(twin.running.map((run) => [run.phase, run]));
  for (const [phase, button] of card.buttons) {
    const run = running.get(phase);
    button.textContent = run ? `Stop ${phase}` : phase;
    button.className = `btn btn-sm ${run ? "btn-danger" : "btn-outline-primary"}`;
    button.setAttribute("aria-label", `${run ? "Stop" : "Run"} ${phase} of ${twin.title}`);
    button.onclick = () => (run ? stop(run) : start(twin.name, phase));
  }
  const last = twin.running[0] ?? twin.last_run;
  card.status.textContent = last ? `${last.phase} ${last.state}` : "not run yet";
  card.status.dataset.state = last?.state ?? "none";
}

// --- runs ------------------------------------------------------------------------

async function start(name, phase) {
  try {
    const run = await requestJson("POST", api(`${encodeURIComponent(name)}/runs`), { json: { phase } });
    await showTwins();
    await follow(run);
  } catch (error) {
    showError(error);
  }
}

async function stop(run) {
  try {
    await request("POST", api(`runs/${run.id}/stop`));
    await showTwins();
  } catch (error) {
    showError(error);
  }
}

async function follow(run) {
  view.abort?.abort();
  view.abort = new AbortController();
  const { signal } = view.abort;
  const output = byId("log");
  byId("log-panel").hidden = false;
  byId("log-title").textContent = `${run.twin} ${run.phase}`;
  byId("log-state").textContent = run.state;
  byId("log-end").textContent = "";
  byId("log-images").replaceChildren();
  output.textContent = "";
  byId("log-panel").scrollIntoView({ block: "nearest" });
  const decoder = new TextDecoder();
  let offset = 0;
  let state = "running";
  try {
    for (;;) {
      const answer = await request("GET", api(`runs/${run.id}/log?offset=${offset}&wait_s=20`), { signal });
      const next = Number(answer.headers.get("X-Log-Next"));
      state = answer.headers.get("X-Run-State");
      append(output, decoder.decode(await answer.arrayBuffer(), { stream: true }));
      byId("log-state").textContent = state;
      byId("log-state").dataset.state = state;
      if (state !== "running" && next === offset) break;
      offset = next;
    }
    byId("log-end").textContent = howItEnded(await requestJson("GET", api(`runs/${run.id}`)));
    await showTwins();
    await showImages(run.twin);
  } catch (error) {
    showError(error);
  }
}

function howItEnded({ state, exit_code: code, duration_s: seconds }) {
  const exit = state === "failed" && code !== null ? `exit code ${code}, ` : "";
  return `${exit}after ${formatDuration(seconds)}`;
}

function append(output, text) {
  const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
  output.append(stripAnsi(text));
  if (output.textContent.length > LONGEST_LOG) {
    output.textContent = `… older lines are in 'twin logs'\n${output.textContent.slice(-LONGEST_LOG / 2)}`;
  }
  if (atEnd) output.scrollTop = output.scrollHeight;
}

// What a run made: its files by name, pictures as pictures.
async function showImages(twin) {
  const folder = `${me}/data/${twin}`;
  const content = await requestJson("GET", `/lib/files/${encodePath(folder)}?first=100`).catch(() => ({ entries: [] }));
  const files = content.entries.filter((entry) => entry.type === "blob");
  byId("log-images").replaceChildren(...files.map((entry) => {
    const address = `/lib/files/${encodePath(`${folder}/${entry.name}`)}`;
    if (/\.(png|jpe?g|gif|webp)$/i.test(entry.name)) {
      return element("a", { href: address, download: entry.name }, element("img", { src: `${address}?inline&t=${entry.modified}`, alt: entry.name, loading: "lazy" }));
    }
    return element("a", { class: "btn btn-sm btn-outline-secondary", href: address, download: entry.name }, `${entry.name}, ${formatSize(entry.size)}`);
  }));
}

async function showHistory(name) {
  try {
    const { runs } = await requestJson("GET", api(`runs?twin=${encodeURIComponent(name)}&limit=50`));
    const rows = runs.map((run) => element("tr", {},
      element("td", {}, formatTime(Date.parse(run.started) / 1000)), element("td", {}, run.phase),
      element("td", {}, element("span", { class: "tw-badge", "data-state": run.state, title: run.exit_code === null ? null : `exit code ${run.exit_code}` }, run.state === "failed" && run.exit_code !== null ? `failed (${run.exit_code})` : run.state)),
      element("td", {}, formatDuration(run.duration_s)),
      element("td", {}, element("button", { class: "btn btn-sm btn-link", type: "button", onclick: () => { byId("history").close(); follow(run); } }, "Log"))));
    byId("history-title").textContent = `Runs of ${name}`;
    byId("history-rows").replaceChildren(...(rows.length ? rows : [element("tr", {}, element("td", { colspan: "5" }, "No runs yet. Press a phase on the card."))]));
    byId("history").showModal();
  } catch (error) {
    showError(error);
  }
}

// --- the workspace -----------------------------------------------------------------

async function startHere() {
  byId("start").hidden = true;
  byId("progress-area").hidden = false;
  byId("failure").hidden = true;
  try {
    await startWorkspace((percent, message) => {
      byId("progress").value = percent;
      byId("progress-text").textContent = message;
    });
    await load();
  } catch (error) {
    byId("failure").textContent = error.message;
    byId("failure").hidden = false;
  } finally {
    byId("start").hidden = false;
    byId("progress-area").hidden = true;
  }
}

byId("start").addEventListener("click", startHere);
byId("close-log").addEventListener("click", () => { view.abort?.abort(); byId("log-panel").hidden = true; });
load().catch(showError);
setInterval(() => { if (!document.hidden && !byId("running-area").hidden) showTwins().catch(() => load().catch(() => {})); }, REFRESH_MS);
