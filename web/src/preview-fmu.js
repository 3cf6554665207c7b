// What an FMU says about itself, and its variables as a table that can be searched.

import { fetchVariables } from "./assets.js";
import { button, debounce, element } from "./dom.js";
import { plural } from "./format.js";

const CAUSALITIES = ["input", "output", "parameter", "calculatedParameter", "structuralParameter", "independent", "local"];

export function previewFmu({ path, fmu }, ref) {
  const known = [
    ["FMI", `${fmu.fmiVersion}, ${fmu.kinds.join(" and ")}`],
    ["Model", fmu.modelName],
    ["Description", fmu.description],
    ["Author", fmu.author],
    ["Made by", [fmu.generationTool, fmu.generationDate].filter(Boolean).join(", ")],
    ["Runs on", fmu.platforms.join(", ")],
    ["Experiment", experiment(fmu)],
  ].filter(([, value]) => value);
  return element("div", {},
    element("dl", { class: "tw-facts" }, ...known.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)])),
    variables(path, fmu, ref));
}

function experiment({ defaultStart, defaultStop, defaultStep, defaultTolerance }) {
  const parts = [
    defaultStart === null && defaultStop === null ? "" : `${defaultStart ?? 0} to ${defaultStop ?? "…"} s`,
    defaultStep === null ? "" : `step ${defaultStep} s`,
    defaultTolerance === null ? "" : `tolerance ${defaultTolerance}`,
  ];
  return parts.filter(Boolean).join(", ");
}

function variables(path, fmu, ref) {
  const state = { text: "", causality: "", after: null, asked: null };
  const body = element("tbody", {});
  const count = element("span", { class: "tw-quiet", role: "status" }, plural(fmu.variableCount, "variable"));
  const more = button("Show more", () => load(false), { hidden: true });
  const search = element("input", { type: "search", class: "form-control form-control-sm", placeholder: "Filter variables", "aria-label": "Filter variables" });
  const causality = element("select", { class: "form-select form-select-sm", "aria-label": "Causality" }, element("option", { value: "" }, "all kinds"), ...CAUSALITIES.map((name) => element("option", { value: name }, name)));

  async function load(fresh) {
    state.asked?.abort();
    state.asked = new AbortController();
    try {
      const { nodes, totalCount, pageInfo } = await fetchVariables(path, { ...state, ref, after: fresh ? null : state.after }, state.asked.signal);
      if (fresh) body.replaceChildren();
      body.append(...nodes.map(line));
      state.after = pageInfo.endCursor;
      more.hidden = !pageInfo.hasNextPage;
      count.textContent = totalCount === fmu.variableCount ? plural(totalCount, "variable") : `${totalCount} of ${plural(fmu.variableCount, "variable")}`;
    } catch (error) {
      if (error.name !== "AbortError") count.textContent = error.message;
    }
  }

  const again = debounce(() => {
    Object.assign(state, { text: search.value.trim(), causality: causality.value });
    load(true);
  }, 200);
  search.addEventListener("input", again);
  causality.addEventListener("change", again);
  load(true);
  const head = ["Name", "Causality", "Type", "Unit", "Start", "Description"].map((label) => element("th", { scope: "col" }, label));
  return element("div", {},
    element("div", { class: "tw-bar tw-bar-quiet" }, search, causality, count),
    element("div", { class: "tw-scroll tw-table-box", tabindex: "0", role: "region", "aria-label": "Variables" }, element("table", { class: "tw-table tw-table-text" }, element("thead", {}, element("tr", {}, ...head)), body)),
    more);
}

function line({ name, causality, variability, type, unit, start, description }) {
  return element("tr", {},
    element("th", { scope: "row" }, name), element("td", { title: variability ?? "" }, causality), element("td", {}, type),
    element("td", {}, unit ?? ""), element("td", {}, start ?? ""), element("td", {}, description ?? ""));
}
