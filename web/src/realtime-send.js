// How devices and programs send to a model, with the right addresses; and a message by hand.

import { button, element, showError, toast } from "./dom.js";
import { exampleOf, snippets } from "./realtime-text.js";
import { owner } from "./realtime-api.js";
import { messagesOf } from "./realtime-message-fields.js";
import { messageForm } from "./realtime-message-form.js";
import { go } from "./realtime-here.js";
import { makeTabs } from "./twin-tabs.js";

export function open(box, { model }) {
  const kinds = messagesOf(model.schema);
  const [first] = kinds;
  const { type: _, ...fields } = first ? exampleOf(first.schema) : {};
  const message = kinds.length > 1 ? { type: first.name, ...fields } : fields;
  const mqtt = model.mqtt && { host: location.hostname, port: 1883, tls: false, ...model.mqtt };
  const texts = snippets({ origin: location.origin, owner: owner(), model: model.name, instance: "device-1", message, mqtt });
  const tabs = makeTabs({ label: "Ways to send", prefix: "ways", quiet: true, tabs: texts, onChoose: choose });
  function choose(id) {
    tabs.choose(id);
    const { text, note } = texts.find((one) => one.id === id);
    tabs.panel.replaceChildren(element("p", { class: "tw-quiet mt-2 mb-1" }, note),
      element("div", { class: "tw-snippet" }, element("pre", { tabindex: "0", role: "region", "aria-label": `Example for ${id}` }, text), button("Copy", () => copy(text))));
  }
  const id = element("input", { class: "form-control", value: "device-1", "aria-label": "Instance", maxlength: "200", autocomplete: "off", spellcheck: "false" });
  const form = messageForm(model, { instance: () => id.value.trim() });
  box.append(
    element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "From devices and programs"), element("div", {}, tabs.list), tabs.panel,
      element("p", { class: "tw-quiet" }, "The answer comes when the message is on disk. The first message of a device makes its instance.")),
    element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "By hand"),
      element("label", { class: "tw-field" }, element("span", {}, "Instance"), id), form.node,
      button("Look at the instance", () => id.value.trim() && go({ view: "models", name: model.name, tab: "instances", id: id.value.trim() }), { kind: "link" })));
  choose(texts[0].id);
  return {};
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    showError(new Error("The browser does not let the page copy. Select the text and press Ctrl+C."));
  }
}
