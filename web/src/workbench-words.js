// Words of the Workbench, made of plain values.

import { leftWords, formatWhen } from "./keep.js";

export const STATES = { ready: "running", starting: "starting", stopping: "stopping", stopped: "stopped" };

export const ownersName = (server) => server || "your own";

const UNITS = { K: "KiB", M: "MiB", G: "GiB", T: "TiB" };

// "2G" as the configuration has it.
export const sizeWords = (size) => `${size.slice(0, -1)} ${UNITS[size.slice(-1)] ?? ""}`.trim();

// Memory counts in powers of two, as its limits do.
export function memoryWords(bytes) {
  const gib = bytes / 2 ** 30;
  return gib >= 0.95 ? `${gib.toFixed(gib < 10 ? 1 : 0)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}

export function profileWords(profile) {
  const parts = [
    `${sizeWords(profile.memory)} memory`,
    `${profile.cpus} ${profile.cpus === 1 ? "core" : "cores"}`,
    profile.disk_gb ? `${profile.disk_gb} GB on disk` : "no disk limit",
    `image '${profile.image}'`,
    profile.idle_stop_minutes ? `stops after ${minutesWords(profile.idle_stop_minutes)} without use` : "does not stop when idle",
  ];
  if (profile.longest_hours) parts.push(`runs for at most ${minutesWords(profile.longest_hours * 60)}`);
  return parts.join(", ");
}

export function minutesWords(minutes) {
  if (minutes < 90) return `${Math.round(minutes * 10) / 10} min`;
  return `${Math.round(minutes / 6) / 10} h`;
}

// How long it has, in one sentence.
export function endWords({ stops_at: at, stop_reason: reason, keep_until: kept, warned }, now = Date.now()) {
  if (!at) return "No limit: it runs until you stop it.";
  const left = leftWords(at, now);
  if (reason === "time_limit") return `Stops in ${left}, at ${formatWhen(at)}: it has then run as long as it may.`;
  if (kept && Math.abs(Date.parse(at) - Date.parse(kept)) < 60_000) return `Kept until ${formatWhen(kept)} (${left}).`;
  return warned ? `Stops in ${left} unless it is used.` : `Stops after ${left} without use. A running twin counts as use.`;
}
