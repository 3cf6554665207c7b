// Two runs side by side: what went in, what it cost, what came out, and how far that differs.

import { requestJson } from "./api.js";
import { element } from "./dom.js";
import { plural } from "./format.js";
import { brief } from "./plot-chart.js";
import { oneRun, startedAt, stateBadge, twinsApi } from "./run-badge.js";
import { FIGURES, valueInWords } from "./run-values.js";

const MOST_FILES = 300;
const VERDICTS = { equal: "the same", different: "differs", "only in one": "only in the first", "only in the other": "only in the second" };

const idOf = (run) => (typeof run === "string" ? run : run.id);

export function showComparison(container, one, other, { api = twinsApi } = {}) {
  const abort = new AbortController();
  const ask = (path) => requestJson("GET", api(path), { signal: abort.signal });
  const box = element("section", { class: "tw-comparison", "aria-label": "Comparison", "aria-busy": "true" }, element("p", { class: "tw-quiet", role: "status" }, "comparing …"));
  container.replaceChildren(box);
  ask(`${oneRun(idOf(one))}/compare/${encodeURIComponent(idOf(other))}`)
    .then((found) => box.replaceChildren(...compared(found, ask)))
    .catch((error) => error.name !== "AbortError" && box.replaceChildren(element("p", { class: "tw-quiet", role: "status" }, error.message)))
    .finally(() => box.removeAttribute("aria-busy"));
  return { close: () => { abort.abort(); box.remove(); } };
}

function verdict(good, words) {
  return element("p", { class: `tw-note ${good ? "tw-note-good" : ""}`, role: "status" }, words);
}

const remarks = (notes) => (notes ?? []).map((note) => element("p", { class: "tw-quiet" }, note));

function compared(found, ask) {
  const [one, other] = found.runs;
  return [
    other.replay_of === one.id ? verdictOfReplay(other, ask) : null,
    verdict(!found.differs, found.differs ? summary(found) : "Nothing differs: the same went in, and the same came out."),
    ...remarks(found.notes),
    sides(one, other, found),
    pairs("Inputs", found.inputs, "The same files with the same contents went in."),
    pairs("Surroundings", found.environment, null),
    outputs(found.outputs ?? []),
  ].filter(Boolean);
}

// Of a replay the verdict with its tolerance says more than the bare difference.
function verdictOfReplay(run, ask) {
  const place = element("div", {});
  if (run.state === "running") return place;
  ask(`${oneRun(run.id)}/comparison`)
    .then((found) => place.replaceChildren(verdict(found.agrees, `The second is a replay of the first. ${inWords(found)}`)))
    .catch((error) => error.name !== "AbortError" && place.replaceChildren(element("p", { class: "tw-quiet" }, error.message)));
  return place;
}

const inWords = (found) => (found.agrees ? `It ended as it did then and wrote the same${found.files.some(({ verdict: how }) => how !== "equal") ? `, within a tolerance of ${found.tolerance}` : ""}.` : "It did not end as it did then, or wrote something else.");

function summary({ parameters = [], inputs = [], outputs = [] }) {
  const changed = outputs.filter(({ verdict }) => verdict !== "equal").length;
  const parts = [[parameters.length, "parameter"], [inputs.length, "input"], [changed, "output"]].filter(([count]) => count).map(([count, word]) => plural(count, word));
  return parts.length ? `${parts.join(", ")} ${parts.length === 1 && /^1 /.test(parts[0]) ? "differs" : "differ"}.` : "Something around the runs differs.";
}

// Parameters and figures of both, differences marked by a sign and not by colour alone.
function sides(one, other, { parameters = [] }) {
  const names = [...new Set([...Object.keys(one.parameters ?? {}), ...Object.keys(other.parameters ?? {}), ...parameters.map(({ name }) => name)])];
  const values = names.map((name) => row(name, valueInWords(one.parameters?.[name]), valueInWords(other.parameters?.[name])));
  const figures = FIGURES.filter(([name]) => [one, other].some((run) => run[name] !== null && run[name] !== undefined && run[name].length !== 0)).map(([name, label, words]) => row(label, words(one[name]), words(other[name])));
  const head = [one, other].map((run) => element("th", { scope: "col" }, `${run.phase} of ${startedAt(run)} `, stateBadge(run)));
  return element("div", { class: "tw-scroll" }, element("table", { class: "tw-list tw-sides" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, element("span", { class: "visually-hidden" }, "What")), ...head)),
    element("tbody", {}, ...group("Parameters", values), ...group("Figures", figures))));
}

function group(label, rows) {
  return rows.length ? [element("tr", { class: "tw-sides-group" }, element("th", { colspan: "3", scope: "rowgroup" }, label)), ...rows] : [];
}

function row(label, one, other) {
  const differs = one !== other;
  const mark = differs ? element("span", { class: "tw-differs", title: "differs" }, "≠", element("span", { class: "visually-hidden" }, " differs")) : null;
  return element("tr", { class: differs ? "tw-different" : null }, element("th", { scope: "row" }, label, " ", mark), element("td", {}, one), element("td", {}, other));
}

function pairs(label, found, otherwise) {
  if (!found?.length) return otherwise ? section(label, element("p", { class: "tw-quiet" }, otherwise)) : null;
  const rows = found.slice(0, MOST_FILES).map(({ name, one, other }) => row(name, valueInWords(one), valueInWords(other)));
  const rest = found.length > MOST_FILES ? element("p", { class: "tw-quiet" }, `and ${plural(found.length - MOST_FILES, "more")}`) : null;
  return section(label, element("div", { class: "tw-scroll" }, element("table", { class: "tw-list tw-sides" },
    element("thead", {}, element("tr", {}, ...["What", "first", "second"].map((text) => element("th", { scope: "col" }, text)))), element("tbody", {}, ...rows))), rest);
}

function section(label, ...children) {
  return element("section", { "aria-label": label }, element("h3", { class: "h6" }, label), ...children);
}

function outputs(found) {
  if (!found.length) return section("Outputs", element("p", { class: "tw-quiet" }, "Neither run's outputs are recorded."));
  const changed = found.filter(({ verdict }) => verdict !== "equal");
  const same = found.length - changed.length;
  const list = changed.slice(0, MOST_FILES).map((output) => element("li", {}, element("strong", {}, output.path), ` ${VERDICTS[output.verdict] ?? output.verdict}`, output.note ? `; ${output.note}` : "", columns(output)));
  const words = [same ? `${plural(same, "file")} ${same === 1 ? "is" : "are"} the same` : "", changed.length > MOST_FILES ? `${plural(changed.length - MOST_FILES, "more")} differ` : ""].filter(Boolean).join("; ");
  return section("Outputs", list.length ? element("ul", { class: "tw-comparison-files" }, ...list) : null, words ? element("p", { class: "tw-quiet" }, `${words}.`) : null);
}

function columns({ columns: found }) {
  if (!found?.length) return null;
  const differing = found.filter(({ largest_difference: largest }) => largest > 0).sort((a, b) => b.largest_difference - a.largest_difference);
  const rows = differing.slice(0, MOST_FILES).map((column) => element("tr", {}, element("th", { scope: "row" }, column.name), ...[column.largest_difference, column.at, column.rms].map((value) => element("td", {}, value === null || value === undefined ? "–" : brief(value)))));
  if (!rows.length) return element("p", { class: "tw-quiet" }, "All numbers are the same; the files differ in how they are written.");
  const head = ["Column", "Largest difference", "at", "Root mean square"].map((text) => element("th", { scope: "col" }, text));
  const equal = found.length - differing.length;
  return element("div", { class: "tw-scroll tw-table-box", tabindex: "0", role: "region", "aria-label": "Differences by column" },
    element("table", { class: "tw-table" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)), equal ? element("p", { class: "tw-quiet" }, `${plural(equal, "column")} the same`) : null);
}
