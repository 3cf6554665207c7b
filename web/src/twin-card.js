// One twin as a card: its picture, how it stands, and its phases in the order of a life.

import { attempt, element } from "./dom.js";
import { formatDuration, plural } from "./format.js";
import { MEANING, cardPhases, nextPhase, standing } from "./twin-phases.js";
import { agoWords } from "./twin-words.js";
import { startRun, stopPhase, twinApi } from "./twins-state.js";
import { twinAddress } from "./twins-address.js";

// A picture of its own, or its first letters on a colour that is always the same for a name.
export function twinPicture({ name, title, picture, source }) {
  const box = element("div", { class: "tw-twin-picture" });
  const letters = () => {
    const words = title.split(/[\s_-]+/).filter(Boolean);
    box.classList.add("tw-twin-letters");
    box.style.setProperty("--tw-hue", String([...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7)));
    box.replaceChildren(element("span", { "aria-hidden": "true" }, words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("")));
  };
  if (!picture) letters();
  else box.append(element("img", { src: source ?? twinApi(name, "picture"), alt: "", loading: "lazy", decoding: "async", onerror: letters }));
  return box;
}

export function badge(twin) {
  const { state, words } = standing(twin);
  return element("span", { class: "tw-badge", "data-state": state }, words);
}

function lastWords(twin) {
  const { run, state } = standing(twin);
  if (!run) return "";
  if (state === "running") return `Since ${agoWords(run.started).replace(" ago", "")}`.replace("Since now", "Started just now");
  const code = run.state === "failed" && run.exit_code !== null && run.exit_code !== undefined ? ` with exit code ${run.exit_code}` : "";
  return `${agoWords(run.ended ?? run.started)}${code}, took ${formatDuration(run.duration_s)}`;
}

// The phases as buttons; the one that most people want now stands out, what runs can be stopped.
export function phaseButtons(twin, { phases = twin.phases, onStarted = () => {}, wished = nextPhase(twin), start = (phase) => startRun(twin.name, phase) } = {}) {
  const running = new Map(twin.running.map((run) => [run.phase, run]));
  return phases.map((phase) => {
    const run = running.get(phase);
    const kind = run ? "danger" : phase === wished && !running.size ? "primary" : "outline-secondary";
    const made = element("button", {
      class: `btn btn-sm btn-${kind} tw-phase`, type: "button", "data-phase": phase, "data-running": Boolean(run),
      "aria-label": `${run ? "Stop" : "Run"} ${phase} of ${twin.title}`, title: MEANING[phase] ?? null,
    }, run ? `Stop ${phase}` : phase);
    made.addEventListener("click", async () => {
      made.disabled = true;
      const done = await attempt(() => (run ? stopPhase(twin, run) : start(phase)));
      made.disabled = false;
      if (done && !run) onStarted(done);
    });
    return made;
  });
}

export class TwinCard {
  constructor(twin, { onStarted }) {
    this.onStarted = onStarted;
    this.root = element("li", { class: "tw-card tw-twin", "data-twin": twin.name });
    this.update(twin);
  }

  update(twin) {
    const { description, running, last_run: last, ...rest } = twin;
    const key = JSON.stringify([rest, description, running.map(({ id, state }) => [id, state]), last?.id, last?.state]);
    if (key === this.key) return this.tick(twin);
    this.key = key;
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.phase ?? "title" : null;
    this.note = element("p", { class: "tw-quiet tw-twin-last" }, lastWords(twin));
    const problems = twin.problems.length;
    this.root.replaceChildren(
      twinPicture(twin),
      element("div", { class: "tw-twin-body" },
        element("header", {},
          element("h2", { class: "h5" }, element("a", { class: "tw-twin-title", href: twinAddress({ twin: twin.name }), "data-twin-go": "" }, twin.title)),
          badge(twin)),
        twin.description ? element("p", { class: "tw-twin-words" }, twin.description) : null,
        problems ? element("p", { class: "tw-twin-problem" }, element("a", { href: twinAddress({ twin: twin.name, tab: "create", edit: "1" }), "data-twin-go": "" }, `${plural(problems, "problem")} in twin.yaml`)) : null,
        this.note,
        twin.phases.length
          ? element("div", { class: "tw-phases", role: "group", "aria-label": `Phases of ${twin.title}` }, ...phaseButtons(twin, { phases: [...new Set([...cardPhases(twin), ...running.map(({ phase }) => phase)])], onStarted: this.onStarted }))
          : element("p", { class: "tw-quiet" }, "This folder has no programs in ", element("code", {}, "lifecycle/"), " yet.")));
    if (focused) (this.root.querySelector(`[data-phase="${focused}"]`) ?? this.title()).focus({ preventScroll: true });
    return null;
  }

  tick(twin) {
    const words = lastWords(twin);
    if (this.note.textContent !== words) this.note.textContent = words;
  }

  title() {
    return this.root.querySelector(".tw-twin-title");
  }
}
