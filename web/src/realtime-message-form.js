// A form for one message, from the JSON schema of its kind; what a form cannot say is written as JSON.

import { element } from "./dom.js";
import { sendMessage } from "./realtime-api.js";
import { messagesOf, simpleFields, valueOf } from "./realtime-message-fields.js";
import { exampleOf } from "./realtime-text.js";
import { figure } from "./realtime-words.js";

export function messageForm(model, { instance, onSent = () => {} }) {
  const kinds = messagesOf(model.schema);
  const problem = element("p", { class: "alert alert-danger mb-0", role: "alert", hidden: true });
  const answer = element("div", { role: "status" });
  const send = element("button", { class: "btn btn-primary", type: "submit" }, "Send");
  const choice = element("select", { class: "form-select" }, ...kinds.map(({ name }) => element("option", { value: name }, name)));
  const fields = element("div", { class: "tw-fields" });
  let read = () => ({});

  function show() {
    const kind = kinds.find(({ name }) => name === choice.value) ?? kinds[0];
    const simple = kind ? simpleFields(kind.schema) : null;
    if (simple) {
      const inputs = simple.map((field) => [field, inputOf(field)]);
      fields.replaceChildren(...inputs.map(([field, input]) => element("label", { class: "tw-field" }, element("span", {}, field.name, field.unit ? ` (${field.unit})` : "", field.needed ? "" : " – optional"), input)));
      read = () => Object.fromEntries(inputs.map(([field, input]) => [field.name, valueOf(field, input.type === "checkbox" ? String(input.checked) : input.value)]).filter(([, value]) => value !== undefined));
    } else {
      const area = element("textarea", { class: "form-control", rows: "6", spellcheck: "false" });
      area.value = JSON.stringify(kind ? exampleOf(kind.schema) : {}, null, 2);
      fields.replaceChildren(element("label", { class: "tw-field tw-field-wide" }, element("span", {}, "Message as JSON"), area));
      read = () => {
        try {
          return JSON.parse(area.value);
        } catch (error) {
          throw new Error(`This is no JSON: ${error.message}`, { cause: error });
        }
      };
    }
  }

  const form = element("form", { class: "tw-message-form" },
    kinds.length > 1 ? element("label", { class: "tw-field" }, element("span", {}, "Kind"), choice) : null, fields, problem, element("div", {}, send), answer);
  choice.addEventListener("change", show);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    answer.replaceChildren();
    try {
      const id = instance();
      if (!id) throw new Error("Type the instance: the name of the device.");
      const kind = kinds.find(({ name }) => name === choice.value) ?? kinds[0];
      const content = { ...(kinds.length > 1 ? { type: kind.name } : {}), ...read() };
      send.disabled = true;
      const { replies = [] } = await sendMessage(model.name, id, content);
      answer.replaceChildren(element("p", { class: "tw-note tw-note-good mt-2 mb-0" }, `Sent to '${id}' and on disk.${replies.length ? "" : " No reply came."}`),
        ...replies.map((reply) => element("pre", { class: "tw-reply" }, `Reply: ${figure(reply.content ?? reply)}`)));
      onSent();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      send.disabled = false;
    }
  });
  show();
  return { node: form };
}

function inputOf({ type, choices, needed, preset }) {
  if (type === "boolean") return element("input", { type: "checkbox", class: "form-check-input", checked: preset === true });
  if (type === "choice") return element("select", { class: "form-select" }, ...(needed ? [] : [element("option", { value: "" }, "")]), ...choices.map((one) => element("option", { value: one, selected: one === preset }, String(one))));
  const input = element("input", { class: "form-control", type: "text", inputmode: type === "string" ? null : "decimal", autocomplete: "off", spellcheck: "false", required: needed });
  if (preset !== undefined && preset !== null) input.value = String(preset);
  return input;
}
