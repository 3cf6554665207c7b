// The Digital Twins page: brings its parts together.

import "./frame.js";
import { byId, element, lazy, showError } from "./dom.js";
import { formatDuration } from "./format.js";
import { startingExamples } from "./twins-gallery.js";
import { go, here, onMove, start } from "./twins-here.js";
import { setUpList, showList, skeleton } from "./twins-list.js";
import { fetchExamples, known, onChange, refresh, unwatch, watch } from "./twins-state.js";
import { closeLog, focusLog, follow, placeLog, setUpLog, shownRun } from "./twin-log.js";
import { changed, closeTwin, openTwin, showTwin } from "./twin-view.js";
import { fetchWorkspace, startWorkspace } from "./workspace.js";

const BROKEN = new Set(["reconnecting", "polling"]);
const PATIENCE_MS = 4000;
const RETRY_MS = 1500;
const LONGEST_RETRY_MS = 15000;
let workspace = "";
let again = 0;
let noticed = 0;

// --- what is shown ---------------------------------------------------------------

async function show() {
  const ready = workspace === "ready";
  byId("stopped").hidden = ready || workspace === "";
  byId("list-view").hidden = !ready || here.twin !== "";
  byId("twin-view").hidden = !ready || here.twin === "";
  if (!ready) return;
  if (here.twin) return showTwin();
  if (openTwin()) leaveTwin();
  document.title = "Digital Twins · Twinhub";
  showList();
  if (known.loaded && !known.twins.length) await offerExamples();
}

function leaveTwin() {
  const { name } = openTwin();
  closeTwin();
  placeLog(null);
  requestAnimationFrame(() => byId("cards").querySelector(`[data-twin="${CSS.escape(name)}"] .tw-twin-title`)?.focus());
}

async function offerExamples() {
  if (byId("first-examples").childElementCount) return;
  const examples = await fetchExamples();
  byId("first-examples").replaceChildren(startingExamples(examples, { onChoose: (example) => newTwin({ example }) }), element("button", { class: "btn btn-link", type: "button", onclick: () => newTwin() }, "From assets of the Library, or empty …"));
}

async function newTwin(wish = {}) {
  const { openNewTwin } = await lazy(() => import("./twins-new.js"));
  const made = await openNewTwin(wish);
  if (!made) return;
  await refresh();
  say(`Made the twin ${made.title ?? made.name}.`);
  go({ twin: made.name, tab: "create" });
}

function say(words) {
  byId("announce").textContent = words;
}

// --- what happens in the workspace -----------------------------------------------

function happened({ twins, connection, runs }) {
  if (connection) showConnection();
  for (const run of runs.filter(({ state }) => state !== "running")) say(`${run.phase} of ${run.twin} ${run.state}${run.duration_s ? ` after ${formatDuration(run.duration_s)}` : ""}.`);
  if (!here.twin) show().catch(showError);
  else {
    changed({ runs });
    if (twins) openTwin()?.load();
  }
}

// A short gap is nobody's business.
function showConnection() {
  clearTimeout(noticed);
  const note = byId("connection");
  if (!BROKEN.has(known.connection)) note.hidden = true;
  else noticed = setTimeout(() => {
    note.textContent = known.connection === "polling" ? "Live updates cannot be had here; states are asked for every few seconds." : "The connection to your workspace was lost; trying again. What runs goes on.";
    note.hidden = false;
  }, PATIENCE_MS);
  if (known.connection === "stopped") loadUntilAnswered().catch(showError);
}

async function load() {
  const { state } = await fetchWorkspace();
  workspace = state;
  if (state === "ready") {
    if (!known.loaded) byId("cards").replaceChildren(...skeleton());
    await refresh();
    watch();
  } else unwatch();
  await show();
}

// A workspace that does not answer for a moment must not leave the page empty.
async function loadUntilAnswered(wait = RETRY_MS) {
  clearTimeout(again);
  try {
    await load();
  } catch (error) {
    if (!error.status || error.status >= 500) again = setTimeout(() => loadUntilAnswered(Math.min(2 * wait, LONGEST_RETRY_MS)).catch(() => {}), wait);
    throw error;
  }
}

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

// --- keys ------------------------------------------------------------------------

const TAB_KEYS = { c: "create", e: "execute", a: "analyze" };

function act(key) {
  if (key === "?") return byId("help").showModal();
  if (here.twin) {
    if (key in TAB_KEYS) return go({ tab: TAB_KEYS[key] });
    if (key === "u") return go({ twin: "", tab: "" });
    if (key === "l") return focusLog();
    if (key === "r") return go({ tab: "execute" }) && requestAnimationFrame(() => openTwin()?.made.get("execute")?.focusForm());
    return false;
  }
  if (key === "/" || key === "s") return byId("search").focus();
  if (key === "n") return newTwin().catch(showError);
  if (key === "l") return focusLog();
  if (key === "Escape" && shownRun()) return closeLog();
  return false;
}

function keys(event) {
  const [target] = event.composedPath();
  const typing = target.closest?.("dialog, input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") || target.isContentEditable;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing || workspace !== "ready") return;
  if (act(event.key) !== false) event.preventDefault();
}

function setUp() {
  setUpList({ onStarted: (run) => follow(run) });
  setUpLog({ onClose: () => here.run && go({ run: "" }, { replace: true }) });
  placeLog(null);
  byId("start").addEventListener("click", startHere);
  byId("new-twin").addEventListener("click", () => newTwin().catch(showError));
  addEventListener("keydown", keys);
  onChange(happened);
  onMove(() => show().catch(showError));
}

setUp();
start();
loadUntilAnswered().catch(showError);
