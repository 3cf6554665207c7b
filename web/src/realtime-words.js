// States, figures and times of the Real-time page, in words.

import { brief } from "./plot-chart.js";

const STATES = {
  running: ["running", "Runs"],
  loading: ["starting", "Is being brought up to date"],
  starting: ["starting", "Is being started"],
  degraded: ["stopped", "Runs, with trouble"],
  failing: ["failed", "Does not run"],
  stopped: ["", "Is switched off"],
  removed: ["", "Deleted"],
};

// How a state's badge looks, as other pages have it.
export const badgeOf = (state) => STATES[state]?.[0] ?? "";
export const stateWords = (state) => STATES[state]?.[1] ?? state;

export function figure(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return String(value);
    if (Number.isInteger(value)) return value.toLocaleString("en-GB");
    return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en-GB") : brief(Number(value.toPrecision(5)));
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

export const rateWords = (rate) => `${rate < 10 && rate > 0 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en-GB")}/s`;

// How long ago, in the largest unit that fits.
export function agoWords(time_s, now_s = Date.now() / 1000) {
  const seconds = Math.max(0, now_s - time_s);
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

// Fields named in a schema, whatever form its types have: {name, type, unit}.
export function fieldsOf(schema) {
  return (schema?.fields ?? []).map((field) => ({ unit: "", ...field, kind: kindOf(field.type) }));
}

export function kindOf(type) {
  const words = typeof type === "string" ? type : JSON.stringify(type ?? "");
  if (/\b(int|float|number|integer)/i.test(words) && !/array|list|dict|object|map/i.test(words)) return "number";
  if (/bool/i.test(words)) return "boolean";
  if (/list|array|dict|object|map|set|tuple/i.test(words)) return "other";
  return "text";
}

// A state's fields in one level: nested ones as a.b; lists as they are.
export function flat(state, before = "", found = new Map()) {
  for (const [name, value] of Object.entries(state ?? {})) {
    const path = before ? `${before}.${name}` : name;
    if (value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length) flat(value, path, found);
    else found.set(path, value);
  }
  return found;
}
