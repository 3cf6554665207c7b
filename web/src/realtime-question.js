// Questions about all instances of a model, as forms and words, and their answers.

export const MEASURES = [["count", "how many"], ["sum", "sum"], ["avg", "average"], ["min", "lowest"], ["max", "highest"], ["p50", "median"], ["p95", "95th percentile"], ["p99", "99th percentile"], ["distinct", "different values"]];
const WORDS = Object.fromEntries(MEASURES);
const ANY = new Set(["distinct"]);

export const isNumber = ({ kind }) => kind === "number" || kind === "integer";
// Fields that a measure can be taken of, and those that group.
export const measurable = (fields, of) => fields.filter((field) => !field.why && field.name !== "partition" && (ANY.has(of) || isNumber(field)));
export const groupable = (fields) => fields.filter((field) => !field.why && !["id"].includes(field.name));

export function measureWords({ of, field }) {
  const words = WORDS[of] ?? of;
  return of === "count" ? words : `${words} of ${field}`;
}

// The column of an answer that a measure has.
export const columnOf = ({ of, field, name }) => name || (of === "count" ? "count" : `${of}_${field}`);

export function questionWords({ where = "", group_by: groups = [], measures = [] }) {
  const parts = [measures.map(measureWords).join(", ")];
  if (groups.length) parts.push(`by ${groups.map(({ field }) => field).join(" and ")}`);
  if (where) parts.push(`where ${where}`);
  return parts.join(" ");
}

// Only what says something; an address and a stored dashboard stay short.
export function tidy({ where = "", group_by: groups = [], measures = [], top = null }) {
  const made = { measures: measures.map(({ of, field, name }) => ({ of, ...(of === "count" || !field ? {} : { field }), ...(name ? { name } : {}) })) };
  if (where.trim()) made.where = where.trim();
  if (groups.length) made.group_by = groups.map(({ field, bin, every_s: every }) => ({ field, ...(bin ? { bin } : {}), ...(every ? { every_s: every } : {}) }));
  if (top) made.top = top;
  return made;
}

// What is missing in a question, in words; "" when it can be asked.
export function questionProblem({ measures = [] }) {
  if (!measures.length) return "Choose at least one measure.";
  const open = measures.find(({ of, field }) => of !== "count" && !field);
  return open ? `Choose the field of the ${WORDS[open.of] ?? open.of}.` : "";
}

const keyOf = (key) => JSON.stringify(key);

// An answer after what a stream told of it: groups that changed or went, and perhaps another order.
export function applyChanges(answer, { reset, set = [], removed = [], order, ...rest }) {
  const groups = new Map(reset || !answer ? [] : answer.groups.map((group) => [keyOf(group.key), group]));
  for (const key of removed) groups.delete(keyOf(key));
  for (const group of set) groups.set(keyOf(group.key), group);
  const sorted = order ? order.map((key) => groups.get(keyOf(key))).filter(Boolean) : [...groups.values()];
  return { ...answer, ...rest, groups: sorted };
}

// An answer as a table: {columns, rows}; groups first.
export function tableOf(answer, question) {
  const groups = (question.group_by ?? []).map(({ field }) => field);
  const measures = (question.measures ?? []).map(columnOf);
  return { columns: [...groups, ...measures], groups: groups.length, rows: answer.groups.map(({ key, values }) => [...key, ...measures.map((name) => values[name] ?? null)]) };
}

export const groupName = (key) => (key.length ? key.map((one) => (one === null ? "(none)" : String(one))).join(" · ") : "all");
