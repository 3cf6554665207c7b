// One folder, as list or as cards: only what is visible is in the page, and the keyboard reaches everything.

import { fetchCard, filesAddress } from "./assets.js";
import { actionsFor, edit, remove, rename } from "./actions.js";
import { addressOf } from "./address.js";
import { request, requestJson } from "./api.js";
import { byId, element, showError } from "./dom.js";
import { formatSize, formatTime, joinPath, kindOf } from "./format.js";
import { folderPath, go, goTo, here, me, mayWriteTo } from "./here.js";
import { Listing } from "./listing.js";
import { openMenu } from "./menu.js";
import { Selection } from "./selection.js";
import { VirtualList } from "./virtual.js";

const VIEW_KEY = "twinhub-library-view";
const CARD_PX = 260;
const grid = byId("list");
const rows = byId("rows");
const selection = new Selection();
const cards = new Map();
const state = { listing: null, key: "", active: -1, wanted: "", fetching: 0 };
const asCards = () => grid.classList.contains("tw-as-cards");
const list = new VirtualList(rows, {
  draw,
  lineHeight: () => (asCards() ? 148 : matchMedia("(max-width: 40rem)").matches ? 52 : 42),
  columns: (width) => (asCards() ? Math.max(1, Math.floor(width / CARD_PX)) : 1),
  above: () => document.querySelector(".tw-header").offsetHeight + (asCards() ? 0 : byId("list-head").offsetHeight),
});

// --- what is listed --------------------------------------------------------------

export function show({ force = false } = {}) {
  const match = byId("filter").value.trim();
  const key = JSON.stringify([folderPath(), here.ref, match]);
  if (key === state.key && !force) return list.render();
  state.listing?.end();
  Object.assign(state, { key, active: -1, wanted: here.show });
  selection.clear();
  cards.clear();
  list.clear();
  const path = folderPath();
  const ref = here.ref ? `&ref=${encodeURIComponent(here.ref)}` : "";
  const fetchPage = (after, first) => requestJson("GET", `${filesAddress(path)}/?first=${first}&after=${after}${match ? `&match=${encodeURIComponent(match)}` : ""}${ref}`);
  state.listing = new Listing({ fetchPage, onChange: () => changed(match), onError: (error) => failed(error) });
  byId("list-panel").classList.add("tw-loading");
  state.listing.load(0).catch(() => {});
  return showSelection();
}

export async function refresh({ name = "", gone = false } = {}) {
  if (gone) selection.clear();
  if (name) state.wanted = name;
  cards.clear();
  await state.listing?.refresh().catch(() => {});
  showSelection();
}

function changed(match) {
  const { listing } = state;
  byId("list-panel").classList.remove("tw-loading");
  grid.hidden = listing.total === 0;
  byId("empty").hidden = listing.total > 0 || Boolean(match);
  byId("no-match").hidden = listing.total > 0 || !match;
  byId("missing").hidden = true;
  byId("count").textContent = `${listing.total.toLocaleString("en-GB")}${match ? " found" : listing.total === 1 ? " entry" : " entries"}`;
  grid.setAttribute("aria-rowcount", String(listing.total + 1));
  const found = state.wanted ? listing.find(state.wanted) : -1;
  state.active = Math.min(state.active, listing.total - 1);
  list.setTotal(listing.total);
  if (found >= 0) {
    state.wanted = "";
    activate(found, { focus: false });
  } else if (state.active < 0 && document.activeElement === grid) activate(0);
}

async function failed(error) {
  byId("list-panel").classList.remove("tw-loading");
  if (state.listing.loaded) return showError(error);
  grid.hidden = true;
  byId("count").textContent = "";
  if (error.code !== "not_found") return showError(error);
  byId("empty").hidden = here.folder !== "" || Boolean(here.ref);
  byId("missing").hidden = !byId("empty").hidden;
  // A person's first visit: the folders of the five kinds are made as they are needed.
  if (here.folder === "" && mayWriteTo(here.owner)) await request("POST", filesAddress(folderPath()), { json: { make: "folder" } }).catch(() => {});
  return null;
}

// --- drawing ---------------------------------------------------------------------

export const itemOf = (entry) => ({ ...entry, path: joinPath(folderPath(), entry.name) });

function draw(index, old) {
  const entry = state.listing.at(index);
  const key = entry ? `${entry.name}\n${entry.type}\n${entry.size}\n${entry.modified}\n${asCards()}\n${cards.get(entry.name)?.key ?? ""}` : `waiting ${asCards()}`;
  const made = old?.drawnAs === key ? old : asCards() ? card(entry) : row(entry);
  const selected = entry ? selection.has(entry.name) : false;
  made.drawnAs = key;
  made.entryIndex = index;
  made.id = `row-${index}`;
  made.setAttribute("aria-rowindex", String(index + 2));
  made.setAttribute("aria-selected", String(selected));
  made.classList.toggle("tw-active", index === state.active);
  made.classList.toggle("tw-shown", Boolean(entry) && entry.name === here.show);
  const box = made.querySelector("input");
  if (box) box.checked = selected;
  return made;
}

function waiting() {
  return element("div", { role: "row", class: "tw-row tw-waiting", "aria-busy": "true" }, element("span", { role: "gridcell" }, element("span", { class: "tw-bone" })));
}

function linkTo(entry) {
  const isFolder = entry.type === "tree";
  const href = addressOf(itemOf(entry).path, me, { isFolder, open: true, ref: here.ref });
  return element("a", { class: "tw-name", href, tabindex: "-1", "data-go": "", title: entry.name }, entry.name);
}

const icon = (entry) => element("span", { class: "tw-icon", "data-kind": entry.type === "tree" ? "folder" : kindOf(entry.name), "aria-hidden": "true" });
const tick = (entry) => element("input", { type: "checkbox", class: "form-check-input", tabindex: "-1", "aria-label": `Select ${entry.name}` });
const more = (entry) => element("button", { class: "tw-more", type: "button", tabindex: "-1", "aria-haspopup": "menu", "aria-label": `Actions for ${entry.name}` }, "⋯");

function row(entry) {
  if (!entry) return waiting();
  return element("div", { role: "row", class: "tw-row", "data-name": entry.name },
    element("span", { role: "gridcell", class: "tw-check" }, tick(entry)),
    element("span", { role: "gridcell", class: "tw-cell-name" }, icon(entry), linkTo(entry)),
    element("span", { role: "gridcell", class: "tw-size" }, entry.type === "tree" ? "" : formatSize(entry.size)),
    element("span", { role: "gridcell", class: "tw-time" }, formatTime(entry.modified)),
    element("span", { role: "gridcell", class: "tw-cell-more" }, more(entry)));
}

function card(entry) {
  if (!entry) return waiting();
  const known = cards.get(entry.name);
  if (!known) fetchFor(entry);
  const { title, description, tags = [], version } = known ?? {};
  return element("div", { role: "row", class: "tw-row tw-asset", "data-name": entry.name },
    element("div", { role: "gridcell", class: "tw-asset-body" },
      element("div", { class: "tw-asset-head" }, tick(entry), icon(entry), linkTo(entry), more(entry)),
      title && title !== entry.name ? element("strong", {}, title) : null,
      element("p", { class: known ? "" : "tw-pending" }, description ?? ""),
      element("div", { class: "tw-tags" },
        element("span", { class: "tw-quiet" }, `${entry.type === "tree" ? "Folder" : formatSize(entry.size)} · ${formatTime(entry.modified)}`),
        version ? element("span", { class: "tw-tag" }, version) : null,
        ...tags.slice(0, 4).map((tag) => element("span", { class: "tw-tag" }, tag)))));
}

// Cards are asked for as they come into view, a few at a time.
async function fetchFor(entry) {
  const { listing } = state;
  if (state.fetching >= 6) return;
  cards.set(entry.name, { key: "" });
  state.fetching += 1;
  const asset = await fetchCard(itemOf(entry).path, here.ref).catch(() => null);
  state.fetching -= 1;
  if (listing !== state.listing) return;
  cards.set(entry.name, { ...asset?.card, version: asset?.publication?.version, key: "known" });
  list.plan();
}

// --- selecting and keys ----------------------------------------------------------

function activate(index, { focus = true } = {}) {
  if (index < 0 || index >= state.listing.total) return;
  state.active = index;
  list.reveal(index);
  grid.setAttribute("aria-activedescendant", `row-${index}`);
  if (focus) grid.focus({ preventScroll: true });
}

async function selectTo(index) {
  const from = selection.anchor ?? Math.max(0, state.active);
  const entries = await state.listing.range(Math.min(from, index), Math.max(from, index));
  selection.clear();
  selection.anchor = from;
  for (const entry of entries) selection.set(entry, true);
  showSelection();
}

export function clearSelection() {
  selection.clear();
  showSelection();
}

function showSelection() {
  const count = selection.count(state.listing?.total ?? 0);
  byId("tools").hidden = count > 0;
  byId("selected").hidden = count === 0;
  list.plan();
  if (!count) return;
  byId("selected-count").textContent = `${count.toLocaleString("en-GB")} selected`;
  const items = [...selection.entries.values()].map(itemOf);
  byId("compare-selected").hidden = selection.all || count !== 2;
  byId("delete-selected").hidden = !mayWriteTo(here.owner);
  byId("compare-selected").onclick = () => go({ show: items[1].name, compare: items[0].path });
}

export const selectedItems = async () => (await selection.resolve(state.listing)).map(itemOf);

function toggle(index, entry) {
  selection.toggle(entry);
  selection.anchor = index;
  showSelection();
}

function keys(event) {
  const { listing, active } = state;
  const entry = active >= 0 ? listing.at(active) : undefined;
  const columns = asCards() ? list.columns(rows.clientWidth) : 1;
  const steps = { ArrowDown: columns, ArrowUp: -columns, PageDown: list.perView(), PageUp: -list.perView(), Home: -Infinity, End: Infinity, ...(asCards() ? { ArrowRight: 1, ArrowLeft: -1 } : {}) };
  const work = () => {
    if (event.key in steps) return move(Math.max(0, Math.min(listing.total - 1, active < 0 ? (event.key === "End" ? Infinity : 0) : active + steps[event.key])), event.shiftKey);
    if (event.key === " " && entry) return toggle(active, entry);
    if (event.key === "a" && (event.ctrlKey || event.metaKey)) return selection.selectAll() ?? showSelection();
    if (event.key === "Escape" && selection.count(listing.total)) return clearSelection();
    if (event.ctrlKey || event.metaKey || event.altKey || !entry) return false;
    if (event.key === "Enter") return rows.querySelector(`#row-${active} .tw-name`)?.click();
    if (event.key === "i") return goTo(addressOf(itemOf(entry).path, me, { ref: here.ref }));
    if (event.key === "F2" && mayWriteTo(here.owner)) return rename(itemOf(entry));
    if (event.key === "e" && mayWriteTo(here.owner) && entry.type !== "tree") return edit(itemOf(entry));
    if (event.key === "Delete" && mayWriteTo(here.owner)) return selectedItems().then((items) => remove(items.length ? items : [itemOf(entry)]));
    if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) return rows.querySelector(`#row-${active} .tw-more`)?.click();
    return false;
  };
  if (event.target.closest(".tw-more, .tw-name") && (event.key === "Enter" || event.key === " ")) return;
  if (work() !== false) event.preventDefault();
}

function move(index, extend) {
  if (extend) selectTo(index).catch(showError);
  activate(index);
}

function press(event) {
  const line = event.target.closest(".tw-row");
  const entry = Number.isInteger(line?.entryIndex) ? state.listing.at(line.entryIndex) : null;
  if (!entry) return; // the line of headings, or one that is still on its way
  const index = line.entryIndex;
  const opener = event.target.closest(".tw-more");
  if (opener) openMenu(opener, actionsFor([itemOf(entry)]), { label: `Actions for ${entry.name}` });
  else if (event.target.matches("input") || event.ctrlKey || event.metaKey) {
    if (event.shiftKey) selectTo(index).catch(showError);
    else toggle(index, entry);
    if (!event.target.matches("input")) event.preventDefault();
  } else if (event.shiftKey) {
    event.preventDefault();
    selectTo(index).catch(showError);
  } else if (!event.target.closest("a")) line.querySelector(".tw-name").click();
  if (!opener) activate(index, { focus: !event.target.matches("input") });
}

// --- list or cards ---------------------------------------------------------------

export function showAs(view) {
  grid.classList.toggle("tw-as-cards", view === "cards");
  for (const name of ["list", "cards"]) byId(`as-${name}`).setAttribute("aria-pressed", String(name === view));
  list.clear();
  list.render();
}

export function setUp() {
  grid.addEventListener("keydown", keys);
  grid.addEventListener("click", press);
  grid.addEventListener("focusin", (event) => {
    const line = event.target.closest(".tw-row");
    if (line) state.active = line.entryIndex;
    else if (state.active < 0 && state.listing?.total) activate(0);
    list.plan();
  });
  grid.addEventListener("contextmenu", (event) => {
    const line = event.target.closest(".tw-row[data-name]");
    if (!line || event.shiftKey) return;
    event.preventDefault();
    activate(line.entryIndex);
    line.querySelector(".tw-more").click();
  });
  for (const name of ["list", "cards"]) {
    byId(`as-${name}`).addEventListener("click", () => {
      localStorage.setItem(VIEW_KEY, name);
      showAs(name);
    });
  }
  showAs(localStorage.getItem(VIEW_KEY) === "cards" ? "cards" : "list");
}

export const focusList = () => activate(Math.max(0, state.active));
