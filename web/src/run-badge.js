// How a run stands, in one look that is the same everywhere.

import { element } from "./dom.js";
import { formatDuration } from "./format.js";

export const twinsApi = (path) => `/app/api/twins/${path}`;
export const oneRun = (id) => `runs/${encodeURIComponent(id)}`;

const failedWith = (run) => run.state === "failed" && run.exit_code !== null && run.exit_code !== undefined;

export function stateBadge(run) {
  const badge = element("span", { class: "tw-badge" });
  showState(badge, run);
  if (failedWith(run)) badge.append(` (${run.exit_code})`);
  return badge;
}

export function showState(badge, run) {
  badge.dataset.state = run.state;
  badge.textContent = run.state;
}

export function howItEnded(run) {
  if (run.state === "running") return "";
  const took = Number.isFinite(run.duration_s) ? `after ${formatDuration(run.duration_s)}` : "";
  return [failedWith(run) ? `exit code ${run.exit_code}` : "", run.reason, took].filter(Boolean).join(", ");
}

// Runs follow one another within seconds, so a minute does not tell them apart.
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function startedAt(run) {
  const moment = new Date(run.started);
  return Number.isNaN(moment.getTime()) ? "" : MOMENT.format(moment);
}
