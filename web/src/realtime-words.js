// States, figures and times of the Real-time page, in words.

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
    return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en-GB") : String(Number(value.toPrecision(5)));
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

// A JSON schema's type in a word or two.
export function typeWords(schema, defs = schema?.$defs ?? {}) {
  if (typeof schema === "string") return schema;
  if (!schema) return "";
  if (schema.$ref) return typeWords(defs[schema.$ref.split("/").at(-1)] ?? {}, defs) || schema.$ref.split("/").at(-1);
  if (schema.enum) return schema.enum.length > 6 ? `one of ${schema.enum.length} values` : schema.enum.join(", ");
  if (schema.anyOf) {
    const words = schema.anyOf.filter(({ type }) => type !== "null").map((one) => typeWords(one, defs)).join(" or ");
    return schema.anyOf.some(({ type }) => type === "null") ? `${words}, or nothing` : words;
  }
  if (schema.type === "array") return schema.items ? `list of ${typeWords(schema.items, defs)}` : "list";
  if (schema.type === "object") return schema.title ?? "fields";
  if (schema.format) return schema.format;
  return { number: "number", integer: "whole number", string: "text", boolean: "yes or no" }[schema.type] ?? String(schema.type ?? "anything");
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
