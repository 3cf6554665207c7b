// Rules, deliveries and silences: lists with forms.

import { ask, attempt, button, element, showError, toast } from "./dom.js";
import { formatTime } from "./format.js";
import { add, change, fetchAll, fetchModels, remove, restore, tryDelivery } from "./realtime-api.js";

const SEVERITIES = [["note", "note"], ["warning", "warning"], ["critical", "critical"]];
const KINDS = {
  rules: { one: "rule", title: "Rules", empty: ["No rule yet", "A rule raises an alert while a condition on the state holds, for each instance, as long as it holds."], line: ruleLine, form: askRule },
  deliveries: { one: "delivery", title: "Deliveries", empty: ["Alerts are delivered nowhere", "They stand in the list. Add a webhook, an MQTT topic or mail addresses to be told."], line: deliveryLine, form: askDelivery },
  silences: { one: "silence", title: "Silences", empty: ["Nothing is silenced", "Silence an alert from its line in the list, for an hour, a day or a week."], line: silenceLine, form: null },
};

export async function openThings(box, kind) {
  const { one, title, empty, line, form } = KINDS[kind];
  const list = element("ul", { class: "tw-things", "aria-label": title });
  const none = element("div", { class: "tw-empty", hidden: true }, element("p", { class: "h5" }, empty[0]), element("p", {}, empty[1]));
  box.append(element("section", { class: "tw-panel tw-part" }, element("header", {}, element("h2", { class: "h5" }, title), form ? button(`New ${one} …`, () => edit(null), { kind: "primary" }) : null), none, list));

  async function look() {
    const things = await fetchAll(kind);
    none.hidden = things.length > 0;
    list.replaceChildren(...things.map((thing) => element("li", {}, element("div", {}, ...line(thing)), element("span", { class: "tw-tools" },
      kind === "deliveries" ? button("Test", () => test(thing), { "aria-label": `Test ${thing.name}` }) : null,
      form ? button("Edit", () => edit(thing), { "aria-label": `Edit ${thing.name}` }) : null,
      button(kind === "silences" ? "End" : "Delete", () => removeIt(thing), { kind: "outline-danger", "aria-label": `${kind === "silences" ? "End the silence of" : "Delete"} ${thing.name ?? thing.model}` })))));
  }

  const edit = (thing) => form(thing).then((done) => done && look()).catch(showError);

  const removeIt = (thing) => attempt(async () => {
    await remove(kind, thing.id);
    await look();
    toast(kind === "silences" ? "The silence has ended." : `Deleted '${thing.name}'.`, { action: "Undo", seconds: 20, onAction: () => attempt(async () => {
      await restore(kind, thing.id);
      await look();
    }) });
  });

  const test = (thing) => attempt(async () => {
    const { result } = await tryDelivery(thing.id);
    toast(result || "Sent.");
    await look();
  });

  await look();
  return { move: () => {} };
}

// --- rules -------------------------------------------------------------------------

function ruleLine({ name, model, where, severity, for_s: seconds, text, enabled, trouble }) {
  return [element("p", {}, element("span", { class: "tw-severity", "data-severity": severity }, severity), " ", element("strong", {}, name), enabled ? null : element("span", { class: "tw-badge" }, "off")),
    element("p", { class: "tw-quiet" }, model, " where ", element("code", {}, where), seconds ? ` for ${seconds} s` : "", ": ", text),
    trouble ? element("p", { class: "text-danger m-0" }, trouble) : null];
}

async function askRule(rule) {
  const models = (await fetchModels()).filter(({ removed_at: at }) => !at).map(({ name }) => name);
  if (!models.length) throw new Error("There is no model yet. Deploy one first, under Models.");
  return ask({ title: rule ? `Change '${rule.name}'` : "A new rule", confirm: "Save", fields: [
    { name: "name", label: "Name", value: rule?.name ?? "" },
    { name: "model", label: "Model", value: rule?.model ?? models[0], options: models.map((name) => [name, name]) },
    { name: "where", label: "Condition", value: rule?.where ?? "", hint: "As in SQL's WHERE, on fields of the state: temperature_c > 90 AND region = 'NW'" },
    { name: "for_s", label: "It must hold for (seconds)", value: String(rule?.for_s ?? 0) },
    { name: "severity", label: "Severity", value: rule?.severity ?? "warning", options: SEVERITIES },
    { name: "text", label: "Text", value: rule?.text ?? "", hint: "{instance} and {field} are replaced: {instance} has {temperature_c} degC" },
    { name: "enabled", label: "In use", value: rule?.enabled === false ? "" : "on", options: [["on", "in use"], ["", "switched off"]] },
  ], submit: ({ for_s: typed, enabled, choice, ...rest }) => {
    const seconds = Number(typed || 0);
    if (!Number.isFinite(seconds) || seconds < 0) throw new Error("How long it must hold is a number of seconds, 0 or more.");
    const content = { ...rest, for_s: seconds, enabled: enabled === "on" };
    return rule ? change("rules", rule.id, { ...content, key: rule.key }) : add("rules", content);
  } });
}

// --- deliveries --------------------------------------------------------------------

const targetWords = ({ kind, url, topic, to }) => (kind === "mail" ? to.join(", ") : kind === "mqtt" ? `${url}, topic ${topic}` : url);

function deliveryLine({ name, kind, severity, model, enabled, result, result_ok: ok, result_s: at, waiting, ...rest }) {
  return [element("p", {}, element("strong", {}, name), " ", element("span", { class: "tw-badge" }, kind), enabled ? null : element("span", { class: "tw-badge" }, "off")),
    element("p", { class: "tw-quiet" }, targetWords({ kind, ...rest }), ` · ${severity} and above`, model === "*" ? "" : ` · only ${model}`, waiting ? ` · ${waiting} waiting` : ""),
    result ? element("p", { class: ok ? "tw-quiet m-0" : "text-danger m-0" }, `${at ? `${formatTime(at)}: ` : ""}${result}`) : null];
}

const BY_KIND = {
  webhook: [{ name: "url", label: "Address", hint: "https://example.org/hook: each alert is posted there as JSON, signed with a secret that you get once." }],
  mqtt: [{ name: "url", label: "Broker", hint: "mqtt://host:1883 or mqtts://host:8883" }, { name: "topic", label: "Topic" }, { name: "user", label: "User (optional)" }, { name: "password", label: "Password (optional)", type: "password", hint: "Leave it empty to keep the one that there is." }],
  mail: [{ name: "to", label: "Addresses", hint: "With commas between them." }],
};

async function askDelivery(delivery) {
  let kind = delivery?.kind;
  if (!kind) {
    const answer = await ask({ title: "How should alerts be delivered?", choices: [{ value: "webhook", label: "Webhook" }, { value: "mqtt", label: "MQTT" }, { value: "mail", label: "E-mail" }, { value: "cancel", label: "Cancel", quiet: true }] });
    if (!answer || answer.choice === "cancel") return null;
    kind = answer.choice;
  }
  let made = null;
  const typed = BY_KIND[kind].map((field) => ({ ...field, value: field.name === "to" ? (delivery?.to ?? []).join(", ") : delivery?.[field.name] ?? "" }));
  const done = await ask({ title: delivery ? `Change '${delivery.name}'` : `A new delivery by ${kind === "mail" ? "e-mail" : kind}`, confirm: "Save", fields: [
    { name: "name", label: "Name", value: delivery?.name ?? "" }, ...typed,
    { name: "severity", label: "From which severity on", value: delivery?.severity ?? "note", options: SEVERITIES },
    { name: "model", label: "Only of this model (* is any)", value: delivery?.model ?? "*" },
    { name: "resolved", label: "The end of a matter too", value: delivery?.resolved ? "on" : "", options: [["", "only its beginning, and when it gets worse"], ["on", "also its end"]] },
  ], submit: async ({ to, resolved, choice, ...rest }) => {
    const content = { ...rest, kind, resolved: resolved === "on", enabled: delivery?.enabled ?? true, ...(to === undefined ? {} : { to: to.split(",").map((one) => one.trim()).filter(Boolean) }) };
    made = delivery ? await change("deliveries", delivery.id, content) : await add("deliveries", content);
  } });
  if (done && made?.secret) await ask({ title: "The secret of this webhook", text: "Copy it now: it is shown only this once. Each request is signed with it.", fields: [{ name: "secret", label: "Secret", value: made.secret }], choices: [{ value: "ok", label: "Done" }] });
  return done;
}

// --- silences ----------------------------------------------------------------------

function silenceLine({ model, instance, key, until_s: until, reason, by }) {
  const any = (word, words) => (word === "*" ? words : word);
  return [element("p", {}, element("strong", {}, `${any(model, "all models")} · ${any(instance, "all instances")} · ${any(key, "all alerts")}`)),
    element("p", { class: "tw-quiet" }, `until ${formatTime(until)}, by ${by}${reason ? `: ${reason}` : ""}`)];
}
