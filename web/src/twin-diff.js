// A difference as lines with numbers and colours.

import { element } from "./dom.js";
import { readDiff } from "./twin-diff-lines.js";

const SIGNS = { added: "+", removed: "−" };

export function diffTable(diff, name) {
  return element("div", { class: "tw-scroll tw-diff", tabindex: "0", role: "region", "aria-label": `What differs in ${name}` }, element("table", {}, element("tbody", {},
    ...readDiff(diff).map(({ kind, oldNumber, newNumber, text }) => element("tr", { class: `tw-line-${kind}` },
      element("td", { class: "tw-number" }, String(oldNumber ?? "")), element("td", { class: "tw-number" }, String(newNumber ?? "")),
      element("td", { class: "tw-sign" }, SIGNS[kind] ?? "", SIGNS[kind] ? element("span", { class: "visually-hidden" }, kind) : null), element("td", { class: "tw-pre" }, text))))));
}
