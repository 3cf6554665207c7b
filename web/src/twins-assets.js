// Choosing assets of the Library for a new twin: found as one types, kept while one searches on.

import { graphql } from "./assets.js";
import { debounce, element } from "./dom.js";
import { plural } from "./format.js";
import { me } from "./twins-here.js";

const KINDS = [["models", "Models"], ["data", "Data"], ["functions", "Functions"], ["tools", "Tools"]];

// From the owner's folder on, as a twin names it: "models/tank", "common/models/valve@1.2".
export const usedName = (path) => (path.startsWith(`${me}/`) ? path.slice(me.length + 1) : path);

const MOST = 100;
const FOUND = `first: ${MOST}) { pageInfo { hasNextPage } nodes { path name owner card { title description } } }`;

async function findAssets(text) {
  const parts = KINDS.map(([category]) => `${category}: assets(text: $text, category: ${category.toUpperCase()}, ${FOUND}`);
  const found = await graphql(`query($text: String) { ${parts.join(" ")} }`, { text: text || null });
  return KINDS.map(([category, label]) => ({ label, assets: found[category].nodes, more: found[category].pageInfo.hasNextPage })).filter(({ assets }) => assets.length);
}

export function assetChooser() {
  const chosen = new Map();
  const search = element("input", { type: "search", class: "form-control form-control-sm", placeholder: "Search models, data, functions, tools", "aria-label": "Search assets", autocomplete: "off", spellcheck: "false" });
  const list = element("ul", { class: "tw-asset-list", "aria-label": "Assets" });
  const note = element("p", { class: "tw-quiet", role: "status" });
  let asked = 0;

  function row({ path, name, card, owner }) {
    const used = usedName(path);
    const box = element("input", { type: "checkbox", class: "form-check-input", checked: chosen.has(used) });
    box.addEventListener("change", () => {
      if (box.checked) chosen.set(used, name);
      else chosen.delete(used);
      say();
    });
    return element("li", {}, element("label", {}, box,
      element("span", { class: "tw-asset-words" }, element("strong", {}, card?.title || name), element("span", { class: "tw-quiet" }, [used, card?.description].filter(Boolean).join(" · "))),
      owner === "common" ? element("span", { class: "tw-tag" }, "common") : null));
  }

  const say = (found = null) => { note.textContent = [chosen.size ? `Chosen: ${[...chosen.keys()].join(", ")}.` : "Nothing chosen yet.", found === 0 ? "No asset fits these words." : ""].join(" ").trim(); };

  async function show() {
    asked += 1;
    const mine = asked;
    try {
      const found = await findAssets(search.value.trim());
      if (mine !== asked) return;
      list.replaceChildren(...found.flatMap(({ label, assets, more }) => [
        element("li", { class: "tw-asset-kind" }, `${label} (${more ? `the first ${assets.length}; search for the others` : plural(assets.length, "asset")})`), ...assets.map(row)]));
      say(found.length);
    } catch (error) {
      if (mine === asked) note.textContent = error.message;
    }
  }

  search.addEventListener("input", debounce(show, 200));
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  say();
  show();
  return { root: element("div", { class: "tw-asset-chooser" }, search, list, note), chosen: () => [...chosen.keys()] };
}
