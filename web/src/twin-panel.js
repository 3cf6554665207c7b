// A part of a twin's view with its heading.

import { element } from "./dom.js";

let count = 0;

// Put these in place of what is there; nothing stands for what is not to be shown.
export function fill(place, ...children) {
  place.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
}

export function panel(title, content, { quiet = false, key = null, actions = null, lead = "", level = 2 } = {}) {
  count += 1;
  const heading = element(`h${level}`, { class: quiet ? "visually-hidden" : "tw-panel-title", id: `panel-${count}` }, title);
  return element("section", { class: "tw-panel tw-part", "aria-labelledby": heading.id, "data-panel": key ?? title.toLowerCase() },
    actions ? element("header", {}, heading, element("div", { class: "tw-part-actions" }, actions)) : heading,
    lead ? element("p", { class: "tw-quiet" }, lead) : null,
    content);
}
