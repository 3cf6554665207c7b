// What the page knows of the twins: read once, then kept up to date by the workspace's events.

import { request, requestJson } from "./api.js";
import { watchEvents } from "./run-events.js";

export const api = (path) => `/app/api/twins/${path}`;
export const twinApi = (name, rest = "") => api(encodeURIComponent(name) + (rest && `/${rest}`));

export const known = { twins: [], loaded: false, connection: "" };
const listeners = new Set();
let events = null;
let asked = 0;

export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(change) {
  for (const listener of listeners) listener(change);
}

export const twinCalled = (name) => known.twins.find((twin) => twin.name === name) ?? null;

export async function refresh() {
  asked += 1;
  const mine = asked;
  const { twins } = await requestJson("GET", api(""));
  if (mine !== asked) return;
  Object.assign(known, { twins: twins.map((twin) => ({ running: [], problems: [], ...twin })), loaded: true });
  tell({ twins: true, runs: [] });
}

export function watch() {
  events ??= watchEvents({
    onRuns: ({ running, changed }) => takeRuns(running ?? [], changed ?? []),
    onTwins: () => refresh().catch(() => {}),
    onConnection: (state) => {
      const back = known.connection && known.connection !== "live" && state === "live";
      known.connection = state;
      tell({ connection: true, runs: [] });
      // What happened meanwhile was not told.
      if (back) refresh().catch(() => {});
    },
  });
}

export function unwatch() {
  events?.close();
  events = null;
  known.connection = "";
}

// Later than another run of the same twin, or the same run told again.
const isLatest = (run, last) => !last || run.id === last.id || run.started >= last.started;

function takeRuns(running, changed) {
  for (const twin of known.twins) {
    twin.running = running.filter((run) => run.twin === twin.name);
    for (const run of changed) if (run.twin === twin.name && isLatest(run, twin.last_run)) twin.last_run = run;
  }
  if ([...running, ...changed].some((run) => known.loaded && !twinCalled(run.twin))) refresh().catch(() => {});
  tell({ twins: false, runs: changed });
}

// A change that this page made itself is shown before the events tell of it.
function takeRun(run) {
  const others = known.twins.flatMap((twin) => twin.running).filter((other) => other.id !== run.id);
  takeRuns(run.state === "running" ? [...others, run] : others, [run]);
  return run;
}

export async function startRun(name, phase, parameters) {
  return takeRun(await requestJson("POST", twinApi(name, "runs"), { json: { phase, ...(parameters ? { parameters } : {}) } }));
}

export async function stopRun(run) {
  return takeRun(await requestJson("POST", api(`runs/${encodeURIComponent(run.id)}/stop`)));
}

export async function terminate(name) {
  const { runs } = await requestJson("POST", twinApi(name, "terminate"), { json: {} });
  runs.forEach(takeRun);
  return runs;
}

// What executes is ended by the twin's own program first, where it has one.
export const stopPhase = (twin, run) => (run.phase === "execute" && twin.phases.includes("terminate") ? terminate(twin.name) : stopRun(run));

export const fetchTwin = (name, signal) => requestJson("GET", twinApi(name), { signal });
export const fetchExamples = async () => (await requestJson("GET", api("examples"))).examples;
export const makeTwin = (wish) => requestJson("POST", api(""), { json: wish });
export const fetchRuns = async (name, limit = 30) => (await requestJson("GET", api(`runs?twin=${encodeURIComponent(name)}&limit=${limit}`))).runs;
export const forget = (name, kind, id) => request("DELETE", twinApi(name, `${kind}/${encodeURIComponent(id)}`));
