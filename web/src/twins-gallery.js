// The examples as pictures to choose from; radio buttons, so arrow keys go through them.

import { element } from "./dom.js";
import { twinPicture } from "./twin-card.js";
import { api } from "./twins-state.js";

const address = ({ name }) => api(`examples/${encodeURIComponent(name)}/picture`);

function tile(example, extra) {
  return [
    twinPicture({ ...example, source: address(example) }),
    element("span", { class: "tw-example-words" },
      element("strong", {}, example.title),
      element("span", { class: "tw-quiet" }, example.description),
      extra),
  ];
}

export function gallery(examples, { chosen = "", onChoose }) {
  return element("div", { class: "tw-gallery", role: "radiogroup", "aria-label": "Examples" }, ...examples.map((example) => {
    const box = element("input", { type: "radio", name: "example", value: example.name, class: "visually-hidden", checked: example.name === chosen, onchange: () => onChoose(example.name) });
    return element("label", { class: "tw-example" }, box, ...tile(example, example.there ? element("span", { class: "tw-tag" }, "there already") : null));
  }));
}

// For the empty page: one press and the example is there.
export function startingExamples(examples, { onChoose }) {
  return element("div", { class: "tw-gallery" }, ...examples.map((example) => element("button", { class: "tw-example", type: "button", onclick: () => onChoose(example.name) }, ...tile(example, null))));
}
