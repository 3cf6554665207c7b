// The phases of a twin's life: their order, where they are shown, and which one comes next.

export const PHASES = ["explore", "create", "execute", "save", "analyze", "evolve", "terminate", "clean"];

const TAB_OF = { explore: "create", create: "create", clean: "create", execute: "execute", terminate: "execute", save: "execute", analyze: "analyze", evolve: "analyze" };

export const tabOfPhase = (phase) => TAB_OF[phase] ?? "execute";

// What a phase does, for people who meet it the first time.
export const MEANING = {
  explore: "Look whether everything it needs is there",
  create: "Make it ready: build, install, connect",
  execute: "Run it",
  save: "Keep its state and its outputs under a name",
  analyze: "Make results from its outputs",
  evolve: "Change its configuration and keep the old one",
  terminate: "End what still runs of it",
  clean: "Remove what it made",
};

const AFTER = { explore: ["create", "execute"], create: ["execute"], execute: ["analyze", "execute"], save: ["analyze", "execute"], analyze: ["execute"], evolve: ["execute"], terminate: ["execute"], clean: ["create", "execute"] };

// The phase that most people want now, or "" when the twin has none; what failed or was ended is tried again.
export function nextPhase({ phases, last_run: last }) {
  const first = ["create", "execute", "analyze"];
  const wished = !last ? first : last.state === "succeeded" ? AFTER[last.phase] ?? first : [last.phase, ...first];
  return wished.find((phase) => phases.includes(phase)) ?? phases[0] ?? "";
}

const USUAL = ["create", "execute", "analyze", "clean"];

// The phases that a card offers; what is rarely wanted stands in the twin's own view.
export function cardPhases({ phases }) {
  const usual = phases.filter((phase) => USUAL.includes(phase));
  return usual.length ? usual : phases;
}

const RANK = { running: 0, failed: 1, interrupted: 1, stopped: 2, succeeded: 3 };

// How a twin stands: what runs, else how the last run ended. The runs of a sweep are all of one phase.
export function standing({ running, last_run: last }) {
  const run = running[0] ?? last;
  if (!run) return { state: "none", words: "not run yet", run: null };
  const phases = new Set(running.map(({ phase }) => phase)).size;
  const words = phases > 1 ? `${phases} phases running` : running.length > 1 ? `${run.phase} running, ${running.length} runs` : `${run.phase} ${run.state}`;
  return { state: run.state, words, run };
}

// The twins that fit some words, in the wished order: by name, by the last run, by state.
export function arrange(twins, { words = "", order = "name" } = {}) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (twin) => [twin.name, twin.title, twin.description, standing(twin).words].join("\n").toLowerCase();
  const found = twins.filter((twin) => wanted.every((word) => text(twin).includes(word)));
  const byName = (a, b) => a.title.localeCompare(b.title, undefined, { numeric: true, sensitivity: "base" });
  const time = (twin) => Date.parse(standing(twin).run?.started ?? 0) || 0;
  const orders = {
    name: byName,
    run: (a, b) => time(b) - time(a) || byName(a, b),
    state: (a, b) => (RANK[standing(a).state] ?? 4) - (RANK[standing(b).state] ?? 4) || byName(a, b),
  };
  return found.sort(orders[order] ?? byName);
}
