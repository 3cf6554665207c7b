// The list of twins as cards: search, order, what to do where there is none.

import { byId, debounce, element } from "./dom.js";
import { plural } from "./format.js";
import { TwinCard } from "./twin-card.js";
import { arrange } from "./twin-phases.js";
import { go, here } from "./twins-here.js";
import { known } from "./twins-state.js";

const ORDER_KEY = "twinhub-twins-order";
const TICK_MS = 20_000;
const cards = new Map();
const wishes = { onStarted: () => {} };

export function showList() {
  if (!known.loaded) return;
  byId("search").value = here.q === byId("search").value.trim() ? byId("search").value : here.q;
  byId("order").value = here.sort || localStorage.getItem(ORDER_KEY) || "name";
  for (const [name, card] of cards) {
    if (known.twins.some((twin) => twin.name === name)) continue;
    card.root.remove();
    cards.delete(name);
  }
  const shown = arrange(known.twins, { words: here.q, order: byId("order").value });
  for (const twin of shown) {
    const card = cards.get(twin.name);
    if (card) card.update(twin);
    else cards.set(twin.name, new TwinCard(twin, wishes));
  }
  place(shown.map((twin) => cards.get(twin.name).root));
  const none = known.twins.length === 0;
  byId("none").hidden = !none;
  byId("list-tools").hidden = none;
  byId("no-match").hidden = none || shown.length > 0;
  byId("count").textContent = here.q ? `${plural(shown.length, "twin")} of ${known.twins.length}` : plural(shown.length, "twin");
}

// Cards move only when their order changes, so that what has the focus keeps it.
function place(wanted) {
  const list = byId("cards");
  const there = [...list.children];
  if (wanted.length === there.length && wanted.every((root, index) => root === there[index])) return;
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  list.replaceChildren(...wanted);
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

// Arrow keys lead from card to card.
function keys(event) {
  const titles = [...byId("cards").querySelectorAll(".tw-twin-title")];
  const at = titles.indexOf(document.activeElement);
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const columns = Math.max(1, titles.filter((title) => title.closest("li").offsetTop === titles[0].closest("li").offsetTop).length);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: titles.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  titles[Math.max(0, Math.min(titles.length - 1, to))].focus();
}

export function setUpList({ onStarted }) {
  wishes.onStarted = onStarted;
  const search = byId("search");
  search.addEventListener("input", debounce(() => go({ q: search.value.trim() }, { replace: true }), 120));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    byId("cards").querySelector(".tw-twin-title")?.focus();
  });
  byId("search-form").addEventListener("submit", (event) => event.preventDefault());
  byId("order").addEventListener("change", () => {
    localStorage.setItem(ORDER_KEY, byId("order").value);
    go({ sort: byId("order").value === "name" ? "" : byId("order").value }, { replace: true });
  });
  byId("clear-search").addEventListener("click", () => {
    go({ q: "" }, { replace: true });
    search.focus();
  });
  byId("cards").addEventListener("keydown", keys);
  setInterval(() => { if (!document.hidden && !byId("list-view").hidden) showList(); }, TICK_MS);
}

export const skeleton = (count = 3) => Array.from({ length: count }, () => element("li", { class: "tw-card tw-twin tw-twin-waiting", "aria-hidden": "true" }, element("div", { class: "tw-twin-picture" }), element("div", { class: "tw-twin-body" }, element("span", { class: "tw-bone" }), element("span", { class: "tw-bone" }))));
