// Texts that the page makes or reads: names of models in a file, and how programs send messages.

// The classes of a file that are twins; the service has the last word.
export function modelNames(python) {
  const classes = [...python.matchAll(/^class\s+([A-Za-z_]\w*)\s*\(([^)]*)\)\s*:/gm)].map(([, name, bases]) => ({ name, bases: bases.split(",").map((base) => base.trim().split("=")[0].trim()) }));
  const twins = new Set(["Twin", "realtime.Twin"]);
  for (let grown = -1; grown !== twins.size;) {
    grown = twins.size;
    for (const { name, bases } of classes) if (bases.some((base) => twins.has(base))) twins.add(name);
  }
  return classes.map(({ name }) => name).filter((name) => twins.has(name));
}

// A message that fits a JSON schema, for people to change.
export function exampleOf(schema, defs = schema?.$defs ?? {}) {
  if (!schema) return {};
  if (schema.$ref) return exampleOf(defs[schema.$ref.split("/").at(-1)], defs);
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [option] = schema.anyOf ?? schema.oneOf ?? [];
  if (option) return exampleOf(option, defs);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object" || schema.properties) return Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => !schema.required || schema.required.includes(name)).map(([name, inner]) => [name, exampleOf(inner, defs)]));
  return { number: schema.minimum ?? 1.5, integer: schema.minimum ?? 1, string: "text", boolean: false, array: [], null: null }[type] ?? null;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// How to send from a command line, a device and a program: [{id, label, text, note}].
export function snippets({ origin, owner, model, instance, message, mqtt }) {
  const json = JSON.stringify(message);
  const address = `${origin}/realtime/${encodeURIComponent(owner)}/models/${encodeURIComponent(model)}`;
  const one = `${address}/instances/${encodeURIComponent(instance)}/messages`;
  const secure = mqtt?.tls ? " --tls-use-os-certs" : "";
  return [
    { id: "curl", label: "curl", note: "With a token that may send messages to real-time twins (from Tokens, in the menu with your name) in the variable TWINHUB_TOKEN.", text: [
      `curl --fail-with-body -H "Authorization: token $TWINHUB_TOKEN" -H 'Content-Type: application/json' \\`,
      `  -d ${quoted(json)} \\`,
      `  ${quoted(`${one}?wait_s=2`)}`,
      "",
      "# Many at once: a line for each",
      `curl --fail-with-body -H "Authorization: token $TWINHUB_TOKEN" -H 'Content-Type: application/x-ndjson' \\`,
      `  --data-binary @messages.ndjson ${quoted(`${address}/messages`)}`,
      `# messages.ndjson: ${JSON.stringify({ id: instance, message })}`,
    ].join("\n") },
    mqtt && { id: "mqtt", label: "MQTT", note: "With the device's own key (made under Devices) in the variable DEVICE_KEY. A device can only speak for itself.", text: [
      `# Replies to the device`,
      `mosquitto_sub -h ${mqtt.host} -p ${mqtt.port}${secure} -u ${quoted(`${owner}/${model}/${instance}`)} -P "$DEVICE_KEY" \\`,
      `  -t ${quoted(`${owner}/${model}/${instance}/reply`)} &`,
      `mosquitto_pub -h ${mqtt.host} -p ${mqtt.port}${secure} -u ${quoted(`${owner}/${model}/${instance}`)} -P "$DEVICE_KEY" \\`,
      `  -q 1 -t ${quoted(`${owner}/${model}/${instance}`)} -m ${quoted(json)}`,
    ].join("\n") },
    { id: "python", label: "Python", note: "With a token that may send messages to real-time twins in the environment variable TWINHUB_TOKEN.", text: [
      "import json, os, urllib.request",
      "",
      `address = ${JSON.stringify(`${address}/messages`)}`,
      `messages = [{"id": ${JSON.stringify(instance)}, "message": ${pythonOf(message)}}]`,
      "asked = urllib.request.Request(",
      '    address, json.dumps(messages).encode(), {"Authorization": "token " + os.environ["TWINHUB_TOKEN"], "Content-Type": "application/json"}',
      ")",
      "with urllib.request.urlopen(asked) as answer:",
      "    print(json.load(answer))",
    ].join("\n") },
  ].filter(Boolean);
}

// JSON as Python writes it.
export function pythonOf(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${pythonOf(inner)}`).join(", ")}}`;
  return JSON.stringify(value);
}

// A file with a dashboard; says in words what is wrong with it.
export function readDashboard(file, text) {
  let content;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Error(`'${file}' is no JSON: ${error.message}`, { cause: error });
  }
  if (!Array.isArray(content?.widgets)) throw new Error(`'${file}' is no dashboard: it has no list 'widgets'. Take the dashboard.json of an example, or one that was saved here.`);
  return { title: String(content.title || file.replace(/\.json$/i, "")), widgets: content.widgets };
}
