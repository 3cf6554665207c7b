// Values of parameters as people type them: read as the workspace reads them, refused in its words,
// or taken as a range for a sweep.

const NUMBER = /^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const TRUTH = { true: true, yes: true, on: true, 1: true, false: false, no: false, off: false, 0: false };
const LONGEST_SHOWN = 60;
export const MOST_RUNS = 1000;

export const formatValue = (value) => (value === null || value === undefined ? "" : String(value));
const short = (number) => String(Number(number.toPrecision(6)));
const isNumeric = ({ type }) => type === "real" || type === "integer";

export function shown(value) {
  const words = String(value).split(/\s+/).filter(Boolean).join(" ");
  return words.length > LONGEST_SHOWN ? `'${words.slice(0, LONGEST_SHOWN)}…'` : `'${words}'`;
}

// What may be given, such as "a real number in m from 0 to 5".
export function allowedWords({ type, unit, range, choices }) {
  if (choices?.length) return `one of ${choices.map(shown).join(", ")}`;
  const kind = { real: "a real number", integer: "an integer", boolean: "true or false", string: "a text" }[type] ?? "a value";
  const [low, high] = range ?? [null, null];
  const words = kind + (unit ? ` in ${unit}` : "");
  if (low !== null && high !== null) return `${words} from ${short(low)} to ${short(high)}`;
  if (low !== null) return `${words} from ${short(low)} on`;
  return high === null ? words : `${words} up to ${short(high)}`;
}

// The same beside a field, where its unit stands already: "0 to 5".
export function limitWords({ type, range }) {
  const [low, high] = range ?? [null, null];
  const whole = type === "integer" ? "whole number" : "";
  const limits = low !== null && high !== null ? `${short(low)} to ${short(high)}` : low !== null ? `at least ${short(low)}` : high !== null ? `at most ${short(high)}` : "";
  return [whole, limits].filter(Boolean).join(", ");
}

export function refusal(parameter, given) {
  const preset = parameter.default ?? null;
  return `${shown(given)} is not allowed for the parameter '${parameter.name}': it is ${allowedWords(parameter)}. Give one of those${preset === null ? "" : `; without it, it is ${shown(preset)}`}.`;
}

// Read what was typed: {value}, {problem} in words, {missing} for nothing where there is a default, or {sweep, values} for start:stop:step.
export function readTyped(parameter, typed) {
  const { name, type, choices, default: preset = null } = parameter;
  const text = String(typed).trim();
  if (type === "boolean") return text.toLowerCase() in TRUTH ? { value: TRUTH[text.toLowerCase()] } : { problem: refusal(parameter, typed) };
  if (type === "string") return choices?.length && !choices.includes(String(typed)) ? { problem: refusal(parameter, typed) } : { value: String(typed) };
  if (text === "") return preset === null ? { problem: `The parameter '${name}' has no default and was not given; it is ${allowedWords(parameter)}.` } : { missing: true, value: preset };
  if (text.includes(":")) return readRange(parameter, text);
  const value = numberOf(parameter, text);
  return value === null ? { problem: refusal(parameter, typed) } : { value };
}

function numberOf({ type, unit, range }, text) {
  const bare = NUMBER.test(text) || !unit || !text.endsWith(unit) ? text : text.slice(0, -unit.length).trimEnd();
  const value = NUMBER.test(bare) ? Number(bare) : NaN;
  const [low, high] = range ?? [null, null];
  const fits = Number.isFinite(value) && (type !== "integer" || Number.isInteger(value)) && (low === null || value >= low) && (high === null || value <= high);
  return fits ? value : null;
}

function readRange(parameter, text) {
  const parts = text.split(":").map((part) => part.trim());
  const [start, stop, step = "1"] = parts;
  if (parts.length > 3 || parts.some((part) => part === "")) return { problem: `${shown(text)} is no range. Type start:stop:step, such as 1:10:1.` };
  for (const part of [start, stop]) if (numberOf(parameter, part) === null) return { problem: refusal(parameter, part) };
  const by = numberOf({ type: parameter.type, unit: parameter.unit }, step);
  if (!by) return { problem: `${shown(step)} is no step for the parameter '${parameter.name}'. Give a ${parameter.type === "integer" ? "whole " : ""}number other than 0.` };
  const values = valuesOfRange(numberOf(parameter, start), numberOf(parameter, stop), by);
  if (!values.length) return { problem: `From ${start} to ${stop} no value is met with the step ${step}. Turn its sign round.` };
  if (values.length > MOST_RUNS) return { problem: `${text} means more than ${MOST_RUNS} runs. Give a larger step.` };
  return { sweep: parts.length === 3 ? parts.join(":") : `${start}:${stop}:1`, values };
}

// The numbers from start to stop, both included where the step meets them; not summed up, so 0:1:0.1 ends at 1.
export function valuesOfRange(start, stop, step) {
  const count = Math.floor((stop - start) / step + 1e-9) + 1;
  if (!Number.isFinite(count) || count < 1) return [];
  return Array.from({ length: Math.min(count, MOST_RUNS + 1) }, (_, index) => Number((start + index * step).toPrecision(12)));
}

// What all fields say together: values to send, ranges to sweep, problems by name, how many runs it means.
export function readAll(parameters, typed) {
  const found = { values: {}, sweeps: {}, problems: {}, runs: 1 };
  for (const parameter of parameters) {
    const read = readTyped(parameter, typed[parameter.name] ?? "");
    if (read.problem) found.problems[parameter.name] = read.problem;
    else if (read.sweep) {
      found.sweeps[parameter.name] = read.sweep;
      found.runs *= read.values.length;
    } else if (!read.missing) found.values[parameter.name] = read.value;
  }
  if (found.runs > MOST_RUNS) found.problems[Object.keys(found.sweeps).at(-1)] ??= `Together the ranges mean ${found.runs.toLocaleString("en-GB")} runs; at most ${MOST_RUNS.toLocaleString("en-GB")} are allowed. Give larger steps.`;
  return found;
}

// What a value looks like in its field.
export function typedOf(parameter, value) {
  if (isNumeric(parameter) && typeof value === "string") return value;
  return formatValue(value ?? parameter.default ?? (parameter.type === "boolean" ? false : ""));
}
