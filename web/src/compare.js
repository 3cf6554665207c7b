// What differs between two assets: lines of texts, rows of tables, places in JSON, files of folders.

import { compareAssets } from "./assets.js";
import { addressOf } from "./address.js";
import { element } from "./dom.js";
import { joinPath } from "./format.js";
import { me } from "./here.js";

const SIGNS = { added: "+", removed: "−", changed: "~", renamed: "→", same: " " };

// Give the view of what has changed from `old` to `fresh`.
export async function compareView(fresh, old, ref) {
  const { kind, equal, summary, truncated, lines, changes } = await compareAssets(old, fresh, { newRef: ref });
  return element("div", { class: "tw-details-body" },
    element("dl", { class: "tw-facts" },
      element("dt", {}, "From"), element("dd", {}, element("a", { href: addressOf(old, me), "data-go": "" }, old)),
      element("dt", {}, "To"), element("dd", {}, element("a", { href: addressOf(fresh, me, { ref }), "data-go": "" }, fresh))),
    element("p", { class: `tw-note ${equal ? "tw-note-good" : ""}`, role: "status" }, equal ? "They are the same." : summary),
    truncated ? element("p", { class: "tw-quiet" }, "There is more than fits here; this is the beginning.") : null,
    equal ? null : kind === "text" ? lineTable(lines) : changeTable(changes, kind === "folder" ? (place) => whereChanged(place, old, fresh, ref) : null));
}

function lineTable(lines) {
  return element("div", { class: "tw-scroll tw-diff", tabindex: "0", role: "region", "aria-label": "Differences" }, element("table", {}, element("tbody", {},
    ...lines.map(({ kind, oldNumber, newNumber, text }) => element("tr", { class: `tw-line-${kind}` },
      element("td", { class: "tw-number" }, String(oldNumber ?? "")), element("td", { class: "tw-number" }, String(newNumber ?? "")),
      element("td", { class: "tw-sign" }, SIGNS[kind] ?? "", kind === "same" ? null : element("span", { class: "visually-hidden" }, kind)), element("td", { class: "tw-pre" }, text))))));
}

// The address that shows what changed in one file of two folders.
function whereChanged(place, old, fresh, ref) {
  return `${addressOf(joinPath(fresh, place), me, { ref })}&compare=${encodeURIComponent(joinPath(old, place))}`;
}

function changeTable(changes, address) {
  const shown = (value) => value ?? "";
  return element("div", { class: "tw-scroll", tabindex: "0", role: "region", "aria-label": "Differences" }, element("table", { class: "tw-table tw-table-text" },
    element("thead", {}, element("tr", {}, ...["", "Where", "Before", "After", "Difference"].map((label) => element("th", { scope: "col" }, label)))),
    element("tbody", {}, ...changes.map(({ kind, place, old, new: fresh, difference }) => element("tr", { class: `tw-line-${kind}` },
      element("td", { title: kind }, kind), element("th", { scope: "row" }, address && kind === "changed" ? element("a", { href: address(place), "data-go": "" }, place) : place), element("td", {}, shown(old)), element("td", {}, shown(fresh)),
      element("td", {}, difference === null || difference === undefined ? "" : Number(difference.toPrecision(6)).toString()))))));
}
