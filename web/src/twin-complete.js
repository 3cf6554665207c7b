// What may be written at a place in twin.yaml, from its JSON Schema. The text need not be valid: it is being written.

const KEY = /^(\s*)(?:- +)?([\w.-]+):(?:\s|$)/;

const indentOf = (line) => line.length - line.trimStart().length;

// The keys that lead to a place, and what stands before the cursor on its line.
export function placeInText(text, position) {
  const before = text.slice(0, position).split("\n");
  const line = before.at(-1);
  const flow = /^(.*?)\{([^{}]*)$/.exec(line);
  const own = KEY.exec(line);
  const path = [];
  let indent = flow || own ? indentOf(line) : line.trim() === "" ? line.length : indentOf(line);
  if (flow) {
    const owner = /([\w.-]+):\s*$/.exec(flow[1]);
    if (owner) path.unshift(owner[1]);
  }
  for (let index = before.length - 2; index >= 0 && indent > 0; index -= 1) {
    const found = KEY.exec(before[index]);
    if (!found || before[index].trim().startsWith("#") || found[1].length >= indent) continue;
    indent = found[1].length;
    path.unshift(found[2]);
  }
  const within = flow ? flow[2].split(",").at(-1) : line;
  const value = /([\w.-]+):\s+([^\s]*)$/.exec(within);
  return { path, valueOf: value ? value[1] : null };
}

function resolve(schema, part) {
  let found = part;
  for (let depth = 0; found?.$ref && depth < 8; depth += 1) found = found.$ref.replace(/^#\//, "").split("/").reduce((at, step) => at?.[step], schema);
  return found ?? {};
}

// A schema and all that it may be instead.
function variants(schema, part, depth = 0) {
  const found = resolve(schema, part);
  if (depth > 4) return [found];
  return [found, ...["oneOf", "anyOf", "allOf"].flatMap((word) => (found[word] ?? []).flatMap((other) => variants(schema, other, depth + 1)))];
}

function below(schema, part, key) {
  return variants(schema, part).flatMap((one) => [
    ...(one.properties?.[key] ? [one.properties[key]] : []),
    ...(!one.properties?.[key] && typeof one.additionalProperties === "object" ? [one.additionalProperties] : []),
    ...(!one.properties?.[key] ? Object.entries(one.patternProperties ?? {}).filter(([pattern]) => new RegExp(pattern).test(key)).map(([, found]) => found) : []),
    ...(one.items ? below(schema, one.items, key) : []),
  ]);
}

const wordsOf = (schema, part) => variants(schema, part).map(({ description }) => description).find(Boolean);

function keysOf(schema, parts) {
  const offers = new Map();
  for (const part of parts.flatMap((one) => variants(schema, one))) {
    const named = Object.fromEntries((resolve(schema, part.propertyNames).enum ?? []).map((key) => [key, part.additionalProperties]));
    for (const [key, found] of Object.entries({ ...named, ...(part.items ? resolve(schema, part.items).properties : {}), ...part.properties })) {
      if (!offers.has(key)) offers.set(key, { label: key, apply: `${key}: `, type: "property", info: wordsOf(schema, found) });
    }
  }
  return [...offers.values()];
}

function valuesOf(schema, parts) {
  const found = parts.flatMap((one) => variants(schema, one));
  const listed = found.flatMap((one) => [...(one.enum ?? []), ...("const" in one ? [one.const] : [])]);
  const truths = found.some((one) => one.type === "boolean") ? [true, false] : [];
  return [...new Set([...listed, ...truths].map(String))].map((label) => ({ label, type: "enum" }));
}

// Give [{label, apply?, type, info?}].
export function offersAt(text, position, schema) {
  const { path, valueOf } = placeInText(text, position);
  const parts = path.reduce((found, key) => found.flatMap((part) => below(schema, part, key)), [schema]);
  return valueOf === null ? keysOf(schema, parts) : valuesOf(schema, parts.flatMap((part) => below(schema, part, valueOf)));
}
