// The log of one run: docked below the list, or inside the twin's view. There is one, and it moves with the person.

import { attempt, byId, element } from "./dom.js";
import { openLog } from "./run-log.js";
import { tabOfPhase } from "./twin-phases.js";
import { stopPhase, twinCalled } from "./twins-state.js";
import { twinAddress } from "./twins-address.js";

const panel = byId("log-panel");
const dock = panel.parentElement;
// Kept, as the panel leaves the page while tabs change.
const [title, stop, open, close, place] = ["log-title", "stop-log", "open-log", "close-log", "log-place"].map(byId);
const view = { run: null, log: null, onEnd: () => {} };

export const shownRun = () => view.run;

function head(run) {
  title.textContent = `${run.twin} ${run.phase}`;
  stop.hidden = run.state !== "running";
  stop.setAttribute("aria-label", `Stop ${run.phase} of ${run.twin}`);
  open.href = twinAddress({ twin: run.twin, tab: tabOfPhase(run.phase), run: run.id });
  view.run = run;
}

// The parts of the log can be found by their ids; there is one log at a time.
function name(parts) {
  for (const [id, selector] of Object.entries(parts)) place.querySelector(selector)?.setAttribute("id", id);
}

// Follow a run; the log of another one is closed. The same one goes on undisturbed.
export function follow(run, { onEnd = () => {} } = {}) {
  panel.hidden = false;
  view.onEnd = onEnd;
  if (view.run?.id === run.id && view.log) return head(run.state === "running" ? view.run : run);
  view.log?.close();
  head(run);
  const mine = run.id;
  const log = openLog(place, run, {
    onState: (fresh) => { if (view.run?.id === mine) head(fresh); },
    onEnd: (ended) => {
      if (view.run?.id !== mine) return;
      head(ended);
      view.onEnd(ended);
    },
  });
  view.log = log;
  name({ "log-state": ".tw-log-head .tw-badge", "log-end": ".tw-log-head > .tw-quiet", log: ".tw-log-box" });
  return null;
}

export function closeLog() {
  view.log?.close();
  Object.assign(view, { run: null, log: null });
  panel.hidden = true;
}

// Into a place of the twin's view, or with null to the bottom of the page.
export function placeLog(wanted, { closable = !wanted } = {}) {
  panel.classList.toggle("tw-docked", !wanted);
  open.hidden = Boolean(wanted);
  close.hidden = !closable;
  const target = wanted ?? dock;
  if (panel.parentElement !== target) target.append(panel);
}

export const focusLog = () => (panel.hidden ? false : (view.log?.focus(), true));

export function setUpLog({ onClose = () => {} } = {}) {
  close.addEventListener("click", () => {
    closeLog();
    onClose();
  });
  stop.addEventListener("click", (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    attempt(() => stopPhase(twinCalled(view.run.twin) ?? { phases: [] }, view.run)).finally(() => { button.disabled = false; });
  });
}

export const emptyLog = (words) => element("p", { class: "tw-quiet tw-no-log" }, words);
