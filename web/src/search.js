// Search over everything the person may read, as they type.

import { addressOf } from "./address.js";
import { searchAssets } from "./assets.js";
import { button, byId, debounce, element } from "./dom.js";
import { formatSize, kindOf } from "./format.js";
import { go, here, me, page } from "./here.js";

const AGAIN_MS = 2000; // while the index is being built
const state = { key: "", asked: null, after: null };
const labels = () => Object.fromEntries([...page.querySelectorAll("[data-category]")].map((tab) => [tab.dataset.category, tab.textContent]));

export function show() {
  const box = byId("search");
  if (document.activeElement !== box) box.value = here.q;
  const open = here.view === "search";
  byId("search-view").hidden = !open;
  if (!open) {
    state.key = "";
    state.asked?.abort();
    byId("results").replaceChildren();
    byId("search-count").textContent = "";
    return;
  }
  byId("search-category").value = here.in;
  byId("search-tag").hidden = !here.tag;
  byId("search-tag").replaceChildren(here.tag, element("span", { "aria-hidden": "true" }, " ×"));
  byId("search-tag").setAttribute("aria-label", `Tag ${here.tag}: remove`);
  const key = JSON.stringify([here.q, here.in, here.tag]);
  if (key === state.key) return;
  state.key = key;
  load(true);
}

async function load(fresh) {
  state.asked?.abort();
  state.asked = new AbortController();
  const { signal } = state.asked;
  const wait = setTimeout(() => byId("search-view").classList.add("tw-loading"), 150);
  try {
    const found = await searchAssets({ text: here.q, category: here.in, tags: here.tag ? [here.tag] : [], after: fresh ? null : state.after }, signal);
    if (signal.aborted) return;
    const held = byId("results").contains(document.activeElement) ? document.activeElement.getAttribute("href") : "";
    if (fresh) byId("results").replaceChildren();
    byId("results").append(...found.nodes.map(result));
    if (held) links().find((link) => link.getAttribute("href") === held)?.focus();
    const count = byId("results").children.length;
    state.after = found.pageInfo.endCursor;
    byId("more-results").hidden = !found.pageInfo.hasNextPage;
    byId("indexing").hidden = !found.indexing;
    if (found.indexing && fresh) setTimeout(() => signal === state.asked.signal && here.view === "search" && count < 50 && load(true), AGAIN_MS);
    byId("no-results").hidden = count > 0;
    byId("search-count").textContent = `${count}${found.pageInfo.hasNextPage ? " or more" : ""} found`;
  } catch (error) {
    if (!signal.aborted) byId("search-count").textContent = error.message;
  } finally {
    clearTimeout(wait);
    if (!signal.aborted) byId("search-view").classList.remove("tw-loading");
  }
}

function result({ path, name, owner, kind, size, category, card }) {
  const isFolder = kind === "FOLDER";
  const word = category?.toLowerCase();
  const label = labels()[word] ?? word ?? "";
  return element("li", { class: "tw-result" },
    element("span", { class: "tw-icon", "data-kind": isFolder ? "folder" : kindOf(name), "aria-hidden": "true" }),
    element("div", {},
      element("a", { class: "tw-result-name", href: addressOf(path, me), "data-go": "" }, card.title || name),
      element("span", { class: "tw-quiet tw-result-path" }, path),
      card.description ? element("p", {}, card.description) : null,
      element("div", { class: "tw-tags" },
        element("span", { class: "tw-quiet" }, [label, owner === me ? "private" : owner, isFolder ? "folder" : formatSize(size)].filter(Boolean).join(" · ")),
        ...card.tags.map((tag) => button(tag, () => go({ tag }), { class: "tw-tag", "aria-label": `Only tag ${tag}` })))));
}

export function setUp() {
  const box = byId("search");
  const typed = () => {
    const q = box.value.trim();
    if (q !== here.q) go({ q, view: "folder", show: "", compare: "" }, { replace: here.view === "search" });
  };
  box.addEventListener("input", debounce(typed, 150));
  byId("search-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    typed();
    if (here.view !== "search") return;
    await load(true);
    links()[0]?.focus();
  });
  byId("search-category").addEventListener("change", (event) => go({ in: event.target.value }, { replace: true }));
  byId("search-tag").addEventListener("click", () => go({ tag: "" }));
  byId("more-results").addEventListener("click", () => load(false));
  byId("close-search").addEventListener("click", () => go({ q: "", tag: "", in: "" }));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && here.view === "search") go({ q: "", tag: "", in: "" });
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    links()[0]?.focus();
  });
  byId("results").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches(".tw-result-name")) return;
    event.preventDefault();
    (links()[links().indexOf(event.target) + step] ?? (step < 0 ? box : event.target)).focus();
  });
}

const links = () => [...byId("results").querySelectorAll(".tw-result-name")];
