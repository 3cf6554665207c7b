// What the monitor's figures are called on the page; no document here, so that it is tested without a browser.

import { formatDuration, formatSize, formatTime, plural } from "./format.js";

const WEIGHTS = { error: "Does not work", warning: "Soon", note: "Good to know" };
const DAY_S = 86_400;

export function overall(alerts) {
  const errors = alerts.filter(({ weight }) => weight === "error").length;
  const warnings = alerts.filter(({ weight }) => weight === "warning").length;
  if (errors) return { word: `${plural(errors, "thing")} ${errors === 1 ? "does" : "do"} not work`, kind: "failed" };
  if (warnings) return { word: `${plural(warnings, "thing")} to look at`, kind: "warned" };
  return { word: "all is well", kind: "ready" };
}

export function alertItems(alerts) {
  return alerts.map((alert) => ({ ...alert, name: WEIGHTS[alert.weight] ?? alert.weight }));
}

export function tiles(state) {
  const { machine, backup, certificate } = state;
  const used = machine.memory_bytes - machine.memory_free_bytes;
  return [
    { term: "Workspaces that run", value: state.workspaces === null ? "unknown" : String(state.workspaces), more: state.people === null ? "" : `of ${plural(state.people, "person", "people")}` },
    { term: "Memory in use", value: formatSize(used), more: `of ${formatSize(machine.memory_bytes)}` },
    { term: "Processor", value: machine.load.toFixed(1), more: `processes want ${plural(machine.cpus, "core")}` },
    { term: "Free on the disk", value: formatSize(machine.disk_free_bytes), more: `of ${formatSize(machine.disk_bytes)}` },
    { term: "Last backup", ...backupTile(backup, state.at) },
    { term: "Certificate", ...certificateTile(certificate, state.at) },
  ];
}

function backupTile(backup, now) {
  if (backup.running_since) return { value: "being made", more: `for ${formatDuration(now - backup.running_since)}` };
  if (!backup.last_began) return { value: "none", more: "twinhub backup makes one" };
  return { value: `${age(now - backup.last_began)} ago`, more: formatTime(backup.last_began) };
}

function certificateTile(certificate, now) {
  if (!certificate) return { value: "none", more: "plain HTTP" };
  const left = certificate.ends_at - now;
  return { value: left > 0 ? `${Math.floor(left / DAY_S)} days` : "ended", more: `${certificate.name}, until ${formatTime(certificate.ends_at)}` };
}

export function age(seconds) {
  if (seconds >= 2 * DAY_S) return `${Math.floor(seconds / DAY_S)} days`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(Math.max(0, seconds))} s`;
}

export function partRow(part) {
  const { pace } = part;
  const runs = part.state === "RUNNING";
  const well = runs && !part.problem;
  const state = !runs ? part.state.toLowerCase() : part.problem || "runs";
  const asked = part.answers || pace.requests_per_s > 0;
  return {
    name: part.name,
    state,
    kind: well ? "ready" : "failed",
    cells: [
      runs ? age(part.up_s) : "–",
      part.cores === null ? "–" : `${Math.round(part.cores * 100)} %`,
      part.memory_bytes === null ? "–" : formatSize(part.memory_bytes),
      asked ? `${rate(pace.requests_per_s)}/s` : "–",
      milliseconds(pace.median_ms),
      milliseconds(pace.slow_ms),
      asked ? `${rate(pace.errors_per_s)}/s` : "–",
    ],
  };
}

function rate(value) {
  return value >= 10 ? String(Math.round(value)) : value ? value.toFixed(1) : "0";
}

function milliseconds(value) {
  return value === null ? "–" : value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
