// What a form for a message needs to know of its JSON schema.

// Kinds of messages, whatever form the schema has: [{name, schema}].
export function messagesOf(schema) {
  const messages = schema?.messages ?? [];
  if (!Array.isArray(messages)) return Object.entries(messages).map(([name, inner]) => ({ name, schema: inner.schema ?? inner }));
  return messages.map((one) => ({ name: one.name ?? one.type ?? one.kind, schema: one.schema ?? one.json_schema ?? one }));
}

const resolve = (schema, root) => (schema?.$ref ? resolve((root.$defs ?? {})[schema.$ref.split("/").at(-1)] ?? {}, root) : schema ?? {});

// Fields of a message that has single values only: [{name, type, choices, needed, preset, unit}]; null otherwise.
export function simpleFields(schema) {
  const root = resolve(schema, schema);
  const found = [];
  for (const [name, raw] of Object.entries(root.properties ?? {})) {
    if (name === "type") continue;
    const options = raw.anyOf ?? raw.oneOf;
    const inner = resolve(options ? options.find((one) => one.type !== "null") : raw, schema);
    const type = inner.enum ? "choice" : inner.type;
    if (!["number", "integer", "string", "boolean", "choice"].includes(type)) return null;
    found.push({ name, type, choices: inner.enum ?? null, needed: (root.required ?? []).includes(name), preset: raw.default, unit: raw.extra?.unit ?? raw.unit ?? inner.unit ?? "", description: raw.description ?? "" });
  }
  return found;
}

// What was typed as a value; undefined where a field that need not be is left empty.
export function valueOf({ name, type, needed }, text) {
  if (type === "boolean") return text === "true";
  if (text === "" && !needed) return undefined;
  if (type === "string" || type === "choice") return text;
  const value = Number(text.replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(value) || (type === "integer" && !Number.isInteger(value))) throw new Error(`'${name}' must be ${type === "integer" ? "a whole number" : "a number"}.`);
  return value;
}
