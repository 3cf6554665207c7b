// A dialog for one widget: what it shows, of which model, and how.

import { button, element } from "./dom.js";
import { fetchFields, fetchModels } from "./realtime-api.js";
import { KINDS } from "./realtime-chart.js";
import { placeFields } from "./realtime-map-tab.js";
import { isNumber, questionWords } from "./realtime-question.js";
import { QuestionForm } from "./realtime-question-form.js";
import { whereInput } from "./realtime-where.js";

// Resolves to the widget, or null.
export async function askForWidget(widget) {
  const models = (await fetchModels()).filter(({ removed_at: at }) => !at).map(({ name }) => name);
  if (!models.length) throw new Error("There is no model yet. Deploy one first, under Models.");
  return new Promise((resolve) => {
    const state = { model: widget?.model && models.includes(widget.model) ? widget.model : models[0], kind: widget?.kind ?? "number", part: null };
    const problem = element("p", { class: "alert alert-danger m-0", role: "alert", hidden: true });
    const title = element("input", { class: "form-control", maxlength: "200", value: widget?.title ?? "", autocomplete: "off" });
    const unit = element("input", { class: "form-control", maxlength: "20", value: widget?.options?.unit ?? "", autocomplete: "off" });
    const unitLabel = element("label", { class: "tw-field" }, element("span", {}, "Unit (optional)"), unit);
    const kind = choose([...KINDS, ["map", "Map"]], state.kind);
    const model = choose(models.map((name) => [name, name]), state.model);
    const box = element("div", {});
    const form = element("form", { class: "tw-widget-form" }, element("h2", { class: "h5" }, widget ? "Change the widget" : "Add a widget"),
      element("div", { class: "tw-fields" }, element("label", { class: "tw-field" }, element("span", {}, "Show"), kind), element("label", { class: "tw-field" }, element("span", {}, "Model"), model), element("label", { class: "tw-field" }, element("span", {}, "Title"), title), unitLabel), box, problem,
      element("div", { class: "d-flex gap-2 justify-content-end" }, button("Cancel", () => dialog.close(), { small: false }), element("button", { class: "btn btn-primary", type: "submit" }, widget ? "Save" : "Add")));
    const dialog = element("dialog", { class: "tw-dialog tw-dialog-wide", "aria-label": widget ? "Change the widget" : "Add a widget" }, form);
    let made = null;
    const refuse = (words) => {
      problem.textContent = words;
      problem.hidden = !words;
    };

    async function show() {
      refuse("");
      Object.assign(state, { kind: kind.value, model: model.value });
      unitLabel.hidden = state.kind !== "number";
      try {
        const fields = await fetchFields(state.model);
        const same = widget?.model === state.model;
        state.part = state.kind === "map" ? mapPart(fields, same && widget.kind === "map" ? widget : null) : questionPart(fields, same ? widget.question : state.part?.question?.(), state.kind);
        box.replaceChildren(state.part.node);
      } catch (error) {
        state.part = null;
        box.replaceChildren();
        refuse(error.message);
      }
    }

    kind.addEventListener("change", show);
    model.addEventListener("change", show);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!state.part) return;
      const words = state.part.problem();
      if (words) return refuse(words);
      const content = state.part.read();
      made = { kind: state.kind, title: title.value.trim() || content.words, model: state.model, question: content.question, options: { ...widget?.options, ...content.options, ...(state.kind === "number" && unit.value.trim() ? { unit: unit.value.trim() } : {}) } };
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(made);
    });
    document.body.append(dialog);
    dialog.showModal();
    show();
  });
}

function choose(options, value) {
  return element("select", { class: "form-select" }, ...options.map(([key, words]) => element("option", { value: key, selected: key === value }, words)));
}

function questionPart(fields, question, kind) {
  const usual = fields.find(({ choices, why }) => choices && !why)?.name;
  const form = new QuestionForm({ fields, question: question?.measures ? question : { measures: [{ of: "count" }], group_by: kind !== "number" && usual ? [{ field: usual }] : [] } });
  return { node: form.node, question: () => form.read(), problem: () => form.problem(), read: () => ({ question: form.read(), options: {}, words: questionWords(form.read()) }) };
}

function mapPart(fields, widget) {
  const guess = placeFields(fields);
  const numbers = [["", "(choose)"], ...fields.filter(isNumber).map(({ name }) => [name, name])];
  const x = choose(numbers, widget?.options?.x ?? guess.x);
  const y = choose(numbers, widget?.options?.y ?? guess.y);
  const value = choose([["", "one colour"], ...fields.filter(({ why, name }) => !why && name !== "id").map(({ name }) => [name, name])], widget?.options?.value ?? "");
  const where = whereInput({ value: widget?.question?.where ?? "", fields, onUse: () => {} });
  const field = (label, node) => element("label", { class: "tw-field" }, element("span", {}, label), node);
  return {
    node: element("div", {}, element("div", { class: "tw-fields" }, field("Longitude", x), field("Latitude", y), field("Colour by", value)), element("div", { class: "tw-question-part", role: "group", "aria-label": "Only instances where" }, element("span", { class: "tw-question-label" }, "Only instances where"), where.node)),
    problem: () => (x.value && y.value ? "" : "Choose the fields that hold longitude and latitude, in degrees."),
    read: () => ({ question: where.get() ? { where: where.get() } : {}, options: { x: x.value, y: y.value, ...(value.value ? { value: value.value } : {}) }, words: value.value ? `${value.value} on the map` : "Map" }),
  };
}
