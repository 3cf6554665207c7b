// Values of parameters and figures of runs, for people.

import { formatDuration, formatSize } from "./format.js";

const MOST_SHOWN = 6;

export function valueInWords(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : typeof value === "number" ? String(Number(value.toPrecision(12))) : typeof value === "boolean" ? (value ? "yes" : "no") : JSON.stringify(value);
}

// The names whose values are not the same everywhere.
export function varying(all) {
  const names = new Set(all.flatMap(Object.keys));
  return new Set([...names].filter((name) => all.some((values) => values[name] !== all[0][name])));
}

// What tells runs apart comes first; what all of them share is left out then.
export function valuesInWords(values, telling = new Set()) {
  const all = Object.entries(values ?? {});
  const apart = all.filter(([name]) => telling.has(name));
  const entries = apart.length ? apart : all;
  const shown = entries.slice(0, MOST_SHOWN).map(([name, value]) => `${name} = ${valueInWords(value)}`);
  return `${shown.join(", ")}${entries.length > MOST_SHOWN ? ` and ${entries.length - MOST_SHOWN} more` : ""}`;
}

export const FIGURES = [
  ["state", "State", valueInWords],
  ["exit_code", "Exit code", valueInWords],
  ["duration_s", "Took", (value) => formatDuration(value)],
  ["cpu_s", "Processor time", (value) => formatDuration(value)],
  ["peak_memory_bytes", "Most memory", (value) => (value ? formatSize(value) : "–")],
  ["log_bytes", "Output", (value) => (value === null || value === undefined ? "–" : formatSize(value))],
  ["outputs_changed", "Files written", valueInWords],
  ["git_commit", "Commit", valueInWords],
  ["arguments", "Arguments", (value) => (value?.length ? value.join(" ") : "–")],
  ["reason", "Reason", valueInWords],
];
