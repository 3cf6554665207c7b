// A model's instances on the map; which fields are the place and the colour is part of the address.

import { button, element } from "./dom.js";
import { fetchFields } from "./realtime-api.js";
import { amend, go, here } from "./realtime-here.js";
import { liveMap } from "./realtime-map-live.js";
import { isNumber } from "./realtime-question.js";
import { whereInput } from "./realtime-where.js";

// The fields that most likely hold a place: {x, y}, '' where there is none.
export function placeFields(fields) {
  const find = (pattern) => fields.find((field) => isNumber(field) && pattern.test(field.name))?.name ?? "";
  return { x: find(/(^|[._])(lon|lng|long|longitude)(_deg)?$/i), y: find(/(^|[._])(lat|latitude)(_deg)?$/i) };
}

export async function open(box, { model }) {
  const fields = await fetchFields(model.name);
  const guess = placeFields(fields);
  if (!fields.some(isNumber)) {
    box.append(element("div", { class: "tw-panel tw-empty" }, element("p", { class: "h5" }, "This model has no place"), element("p", {}, "A map needs two numbers in the state: longitude and latitude, in degrees.")));
    return {};
  }
  const asked = () => ({ x: here.words.x || guess.x, y: here.words.y || guess.y, value: here.words.value ?? defaultValue(), where: here.words.where ?? "" });
  const likely = (pattern) => fields.find((field) => !field.why && ![guess.x, guess.y, "id", "partition"].includes(field.name) && pattern.test(field.name))?.name;
  const defaultValue = () => likely(/level|alarm|alert/i) ?? likely(/state|status|condition/i) ?? "";
  const numbers = fields.filter((field) => isNumber(field) && field.name !== "partition");
  const choose = (label, name, options) => {
    const select = element("select", { class: "form-select form-select-sm" }, ...options.map((one) => element("option", { value: one, selected: one === asked()[name] }, one || "(choose)")));
    select.addEventListener("change", () => amend({ [name]: select.value }));
    return element("label", { class: "tw-refs" }, label, select);
  };
  const filter = whereInput({ value: asked().where, fields, onUse: (where) => amend({ where }) });
  const stage = element("div", { class: "tw-panel tw-part tw-map-page" });
  box.append(element("div", { class: "tw-filter-line" }, filter.node,
    choose("Longitude", "x", ["", ...numbers.map(({ name }) => name)]), choose("Latitude", "y", ["", ...numbers.map(({ name }) => name)]),
    choose("Colour", "value", ["", ...fields.filter(({ why, name }) => !why && name !== "id").map(({ name }) => name)]),
    button("List", () => go({ view: "models", name: model.name, tab: "instances", words: { where: asked().where } }))), stage);
  let live = null;
  let shown = "";
  function show() {
    const { x, y, value, where } = asked();
    const words = JSON.stringify([x, y, value, where]);
    if (words === shown) return;
    shown = words;
    live?.close();
    live = null;
    if (!x || !y) {
      stage.replaceChildren(element("p", { class: "tw-empty" }, "Choose the fields that hold longitude and latitude."));
      return;
    }
    live = liveMap({ model: model.name, x, y, value, where, label: `Map of ${model.name}`, onChoose: (id) => go({ view: "models", name: model.name, tab: "instances", id }) });
    stage.replaceChildren(live.node);
  }
  show();
  return { move: show, close: () => live?.close() };
}
