// The Library page: brings its parts together.

import "./frame.js";
import { actionsFor, copyPath, newFile, newFolder, onChanged, remove } from "./actions.js";
import { formatAddress } from "./address.js";
import { fetchCard, fetchRefs, fetchUsage, fetchViewer, filesAddress, makeFolder } from "./assets.js";
import * as details from "./details.js";
import { byId, debounce, element, showError } from "./dom.js";
import { readChosen, readDrop } from "./drop.js";
import * as folder from "./folder.js";
import { formatSize, joinPath } from "./format.js";
import { folderPath, frozen, go, goTo, here, mayWriteTo, onMove, page, publishedPath, start, viewer, whyReadOnly, workspacePath } from "./here.js";
import { openMenu } from "./menu.js";
import * as search from "./search.js";
import * as trash from "./trash.js";
import { UploadPanel, nowAndThen } from "./upload-panel.js";

const known = { owner: null };
const uploads = new UploadPanel({ onStored: nowAndThen(() => refresh({ keep: true })) });

async function refresh({ name = "", gone = false, keep = false } = {}) {
  if (here.view === "folder") await folder.refresh({ name, gone });
  if (!keep) details.show({ force: true });
  showUsage();
}

// --- where we are ----------------------------------------------------------------

let shownFolder = null;

function show() {
  const isFolder = here.view === "folder";
  if (shownFolder !== null && shownFolder !== folderPath()) byId("filter").value = "";
  shownFolder = folderPath();
  byId("folder-view").hidden = !isFolder;
  document.title = `${isFolder ? here.show || here.folder.split("/").at(-1) || "Library" : here.view === "search" ? `Search: ${here.q || here.tag}` : here.view} · Twinhub`;
  showPlaces();
  showCrumbs();
  showRights();
  showFrozen();
  search.show();
  trash.show();
  if (isFolder) folder.show();
  details.show();
  if (known.owner === here.owner) return;
  known.owner = here.owner;
  showRefs().catch(showError);
  showUsage();
}

function showPlaces() {
  for (const tab of page.querySelectorAll("[data-category]")) {
    tab.href = formatAddress({ place: here.place, category: tab.dataset.category, folder: "" });
    mark(tab, here.view === "folder" && tab.dataset.category === here.category, "page");
  }
  for (const link of page.querySelectorAll("[data-place]")) {
    link.href = formatAddress({ place: link.dataset.place, category: here.category, folder: "" });
    mark(link, here.view === "folder" && link.dataset.place === here.place, "true");
  }
  for (const link of page.querySelectorAll("[data-view]")) mark(link, link.dataset.view === here.view, "page");
}

function mark(link, active, word) {
  link.classList.toggle("active", active);
  active ? link.setAttribute("aria-current", word) : link.removeAttribute("aria-current");
}

function showCrumbs() {
  const parts = here.folder ? here.folder.split("/") : [];
  const label = page.querySelector(`[data-category="${CSS.escape(here.category)}"]`)?.textContent ?? here.category;
  const crumb = (target, text) => element("li", {}, element("a", { href: formatAddress({ place: here.place, category: here.category, folder: target, ref: here.ref }), "data-go": "" }, text));
  const crumbs = [crumb("", here.place.startsWith("@") ? `${here.owner}: ${label}` : label), ...parts.map((part, index) => crumb(parts.slice(0, index + 1).join("/"), part))];
  crumbs.at(-1).firstChild.setAttribute("aria-current", "location");
  byId("crumbs").replaceChildren(...crumbs);
  byId("workspace-path").textContent = workspacePath(folderPath());
}

async function showFrozen() {
  const path = publishedPath();
  if (!path || frozen.has(path)) return;
  const asset = await fetchCard(path, here.ref).catch(() => null);
  frozen.set(path, asset?.publication?.version ?? "");
  showRights();
}

function showRights() {
  const writable = mayWriteTo(here.owner);
  byId("read-only").hidden = writable || !viewer.known;
  byId("read-only").textContent = whyReadOnly();
  for (const part of page.querySelectorAll("[data-writes]")) part.hidden = !writable;
}

async function showRefs() {
  const { owner } = here;
  const refs = await fetchRefs(owner).catch(() => []);
  if (owner !== here.owner) return;
  const chooser = byId("refs");
  chooser.parentElement.hidden = refs.length === 0;
  const group = (kind, label) => element("optgroup", { label }, ...refs.filter((ref) => ref.kind === kind).map(({ name }) => element("option", { value: name, selected: name === here.ref }, name)));
  chooser.replaceChildren(element("option", { value: "" }, "current"), group("BRANCH", "Branches"), group("TAG", "Tags"));
  chooser.value = here.ref;
}

const showUsage = debounce(async () => {
  const usage = await fetchUsage(here.owner).catch(() => null);
  const limit = usage?.limitBytes;
  const used = usage ? usage.usedBytes + usage.trashBytes + usage.heldBytes : 0;
  byId("usage").hidden = !used && !limit;
  byId("usage-bar").hidden = !limit;
  byId("usage-bar").max = limit || 1;
  byId("usage-bar").value = Math.min(used, limit || 0);
  byId("usage").classList.toggle("tw-full", Boolean(limit) && used > 0.9 * limit);
  byId("usage-text").textContent = limit ? `${formatSize(used)} of ${formatSize(limit)} used` : `${formatSize(used)} used`;
  if (usage) byId("usage").title = `Files ${formatSize(usage.usedBytes)}, trash ${formatSize(usage.trashBytes)}, uploads under way ${formatSize(usage.heldBytes)}`;
}, 300);

// --- uploading -------------------------------------------------------------------

function upload(files, base) {
  uploads.add(files.map(({ relative, ...file }) => ({ ...file, path: joinPath(base, relative) })));
}

async function drop(event) {
  event.preventDefault();
  page.classList.remove("tw-dropping");
  if (here.view !== "folder" || !mayWriteTo(here.owner)) return;
  const base = folderPath();
  const { files, emptyFolders } = await readDrop(event.dataTransfer);
  for (const empty of emptyFolders) {
    await makeFolder(joinPath(base, empty)).catch((error) => {
      if (error.code !== "exists") showError(error);
    });
  }
  if (files.length) upload(files, base);
  if (emptyFolders.length) await refresh();
}

function setUpUploads() {
  page.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    if (mayWriteTo(here.owner)) page.classList.add("tw-dropping");
  });
  page.addEventListener("dragleave", (event) => { if (!page.contains(event.relatedTarget)) page.classList.remove("tw-dropping"); });
  page.addEventListener("drop", (event) => drop(event).catch(showError));
  for (const id of ["choose-files", "choose-folder"]) {
    byId(id).addEventListener("change", (event) => {
      upload(readChosen(event.target), folderPath());
      event.target.value = "";
    });
  }
}

// --- events ----------------------------------------------------------------------

function keys(event) {
  const [target] = event.composedPath();
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target.closest?.("dialog, input:not([type=checkbox]), textarea, select, [contenteditable]") || target.isContentEditable) return;
  if (event.key === "/") {
    event.preventDefault();
    byId(here.view === "folder" ? "filter" : "search").focus();
  } else if (event.key === "s") {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "?") byId("help").showModal();
  else if (event.key === "Escape" && here.show) go({ show: "", compare: "" });
  else if (event.key === "ArrowDown" && document.activeElement === document.body && here.view === "folder") {
    event.preventDefault();
    folder.focusList();
  }
}

function setUp() {
  folder.setUp();
  search.setUp();
  trash.setUp();
  setUpUploads();
  addEventListener("keydown", keys);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-go], a[data-category], a[data-place], a[data-view]");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    goTo(link.pathname + link.search);
  });
  byId("filter").addEventListener("input", debounce(() => folder.show(), 200));
  byId("filter").addEventListener("keydown", (event) => { if (event.key === "ArrowDown") { event.preventDefault(); folder.focusList(); } });
  byId("refs").addEventListener("change", (event) => go({ ref: event.target.value, show: "" }));
  byId("new-folder").addEventListener("click", newFolder);
  byId("new-file").addEventListener("click", newFile);
  byId("folder-more").addEventListener("click", (event) => openMenu(event.currentTarget, [
    { label: "About this folder", run: () => go({ show: "." }) },
    { label: "Download folder as zip", href: filesAddress(folderPath(), { zip: true, ref: here.ref }), download: "" },
    { label: "Copy workspace path", run: () => copyPath(folderPath()) },
    null,
    { label: "Keys", key: "?", run: () => byId("help").showModal() },
  ], { label: "Folder" }));
  byId("delete-selected").addEventListener("click", async () => remove(await folder.selectedItems()));
  byId("selected-more").addEventListener("click", (event) => { selectedMenu(event.currentTarget).catch(showError); });
  byId("clear-selection").addEventListener("click", () => folder.clearSelection());
  onChanged(refresh);
  onMove(show);
}

async function selectedMenu(anchor) {
  openMenu(anchor, actionsFor(await folder.selectedItems()), { label: "Actions for what is selected" });
}

async function begin() {
  setUp();
  start();
  await fetchViewer().then((found) => Object.assign(viewer, found, { known: true })).catch(showError);
  showRights();
  folder.show();
  details.show({ force: Boolean(here.show) });
  if (here.view !== "folder") trash.show();
  await uploads.recall().catch(() => {});
}

begin();
