// The Library page: folders and files of one category, private or common.

import "./frame.js";
import { request, requestJson } from "./api.js";
import { ask, byId, element, showError, toast } from "./dom.js";
import { encodePath, formatSize, formatTime, joinPath, nameProblem } from "./format.js";
import { Uploads, readDrop } from "./uploads.js";

const PAGE = 500;
const LARGEST_EDIT = 1_000_000;
const page = byId("library");
const me = page.dataset.user;
const state = { place: "private", category: "data", folder: "", entries: [], next: null, total: 0, loading: 0 };

const owner = () => (state.place === "common" ? "common" : me);
const folderPath = () => joinPath(owner(), state.category, state.folder);
const workspacePath = () => joinPath("/workspace", state.place === "common" ? "common" : "", state.category, state.folder);
const filesAddress = (path) => `/lib/files/${encodePath(path)}`;
const pageAddress = (place, category, folder) => `/app/library/${encodePath(joinPath(place, category, folder))}`;

function readAddress() {
  const parts = location.pathname.replace(/^\/app\/library\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  state.place = parts[0] === "common" ? "common" : "private";
  state.category = parts[1] ?? "data";
  state.folder = parts.slice(2).join("/");
}

function go(place, category, folder) {
  history.pushState(null, "", pageAddress(place, category, folder));
  readAddress();
  byId("filter").value = "";
  return load();
}

// --- showing ---------------------------------------------------------------------

async function load() {
  const ticket = (state.loading += 1);
  let missing = false;
  showWhere();
  try {
    const content = await requestJson("GET", `${filesAddress(folderPath())}?first=${PAGE}`);
    if (ticket !== state.loading) return;
    Object.assign(state, { entries: content.entries, next: content.next, total: content.total });
  } catch (error) {
    if (ticket !== state.loading) return;
    Object.assign(state, { entries: [], next: null, total: 0 });
    if (error.code === "not_found" && state.folder === "") await makeCategory();
    else if (error.code === "not_found") missing = true;
    else showError(error);
  }
  showEntries();
  byId("empty").hidden ||= missing;
  byId("missing").hidden = !missing;
}

async function makeCategory() {
  await request("POST", filesAddress(folderPath()), { json: { make: "folder" } }).catch(showError);
}

async function loadMore() {
  if (!state.next) return;
  const after = state.next;
  state.next = null;
  const ticket = state.loading;
  const content = await requestJson("GET", `${filesAddress(folderPath())}?first=${PAGE}&after=${after}`);
  if (ticket !== state.loading) return;
  state.entries.push(...content.entries);
  state.next = content.next;
  showEntries();
}

function showWhere() {
  for (const tab of document.querySelectorAll("[data-category]")) {
    const here = tab.dataset.category === state.category;
    tab.href = pageAddress(state.place, tab.dataset.category, "");
    tab.classList.toggle("active", here);
    here ? tab.setAttribute("aria-current", "page") : tab.removeAttribute("aria-current");
  }
  for (const link of document.querySelectorAll("[data-place]")) {
    const here = link.dataset.place === state.place;
    link.href = pageAddress(link.dataset.place, state.category, "");
    link.classList.toggle("active", here);
    here ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }
  const crumbs = [element("li", {}, crumb("", document.querySelector(`[data-category="${CSS.escape(state.category)}"]`)?.textContent ?? state.category))];
  const parts = state.folder ? state.folder.split("/") : [];
  parts.forEach((part, index) => crumbs.push(element("li", {}, crumb(parts.slice(0, index + 1).join("/"), part))));
  crumbs.at(-1).firstChild.setAttribute("aria-current", "location");
  byId("crumbs").replaceChildren(...crumbs);
  byId("workspace-path").textContent = workspacePath();
  byId("zip").href = `${filesAddress(folderPath())}?download=zip`;
}

function crumb(folder, label) {
  return element("a", { href: pageAddress(state.place, state.category, folder), "data-folder": folder }, label);
}

function showEntries() {
  const wanted = byId("filter").value.toLowerCase();
  const shown = state.entries.filter((entry) => entry.name.toLowerCase().includes(wanted));
  byId("rows").replaceChildren(...shown.map(row));
  byId("empty").hidden = state.entries.length > 0;
  byId("list").hidden = state.entries.length === 0;
  byId("count").textContent = state.total ? `${shown.length} of ${state.total}` : "";
  byId("more").hidden = !state.next;
  showSelection();
}

function row(entry) {
  const isFolder = entry.type === "tree";
  const open = isFolder
    ? element("a", { href: pageAddress(state.place, state.category, joinPath(state.folder, entry.name)), class: "tw-name", "data-folder": joinPath(state.folder, entry.name) }, entry.name)
    : element("a", { href: filesAddress(joinPath(folderPath(), entry.name)), class: "tw-name", download: entry.name }, entry.name);
  const actions = [
    isFolder ? null : action("Edit", () => edit(entry), entry.size > LARGEST_EDIT),
    isFolder ? element("a", { class: "btn btn-sm btn-link", href: `${filesAddress(joinPath(folderPath(), entry.name))}?download=zip`, download: `${entry.name}.zip`, "aria-label": `Download ${entry.name} as zip` }, "Zip") : element("a", { class: "btn btn-sm btn-link", href: filesAddress(joinPath(folderPath(), entry.name)), download: entry.name, "aria-label": `Download ${entry.name}` }, "Download"),
    action("Rename", () => rename(entry), false, entry.name),
    action("Delete", () => remove([entry]), false, entry.name),
  ];
  return element("tr", { "data-name": entry.name, tabindex: "-1" },
    element("td", { class: "tw-check" }, element("input", { type: "checkbox", class: "form-check-input", "aria-label": `Select ${entry.name}`, onchange: showSelection })),
    element("td", {}, element("span", { class: isFolder ? "tw-icon tw-folder" : "tw-icon tw-file", "aria-hidden": "true" }), open),
    element("td", { class: "tw-size" }, isFolder ? "" : formatSize(entry.size)),
    element("td", { class: "tw-time" }, formatTime(entry.modified)),
    element("td", { class: "tw-actions" }, ...actions.filter(Boolean)));
}

function action(label, onclick, disabled, name = "") {
  return element("button", { class: "btn btn-sm btn-link", type: "button", onclick, disabled, "aria-label": name ? `${label} ${name}` : null }, label);
}

const selected = () => {
  const names = new Set([...document.querySelectorAll("#rows input:checked")].map((box) => box.closest("tr").dataset.name));
  return state.entries.filter((entry) => names.has(entry.name));
};

function showSelection() {
  const count = selected().length;
  byId("delete-selected").hidden = count === 0;
  byId("delete-selected").textContent = `Delete ${count} selected`;
}

// --- changing --------------------------------------------------------------------

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    showError(error);
    return null;
  } finally {
    await load();
  }
}

async function makeFolder() {
  const submit = ({ name }) => request("POST", filesAddress(joinPath(folderPath(), name)), { json: { make: "folder" } });
  const made = await ask({ title: "New folder", fields: [{ name: "name", label: "Name" }], confirm: "Make folder", validate: ({ name }) => nameProblem(name), submit });
  if (made) await load();
}

async function makeFile() {
  const fields = [{ name: "name", label: "Name", value: "notes.md" }, { name: "text", label: "Text", multiline: true }];
  const submit = ({ name, text }) => request("PUT", filesAddress(joinPath(folderPath(), name)), { body: plainLines(text), headers: { "If-None-Match": "*" } });
  if (await ask({ title: "New text file", fields, confirm: "Save", validate: ({ name }) => nameProblem(name), submit })) await load();
}

// A form may send line ends as CRLF, which breaks scripts.
const plainLines = (text) => text.replaceAll("\r\n", "\n");

async function edit(entry) {
  const address = filesAddress(joinPath(folderPath(), entry.name));
  try {
    const answer = await request("GET", address);
    const headers = { "If-Match": answer.headers.get("ETag") };
    const before = new TextDecoder("utf-8", { fatal: true }).decode(await answer.arrayBuffer());
    const ends = (text) => (before.includes("\r\n") ? plainLines(text).replaceAll("\n", "\r\n") : plainLines(text));
    const fields = [{ name: "text", label: "Text", value: before, multiline: true }];
    const submit = ({ text }) => request("PUT", address, { body: ends(text), headers });
    if (await ask({ title: entry.name, fields, confirm: "Save", submit })) await load();
  } catch (error) {
    showError(error instanceof TypeError ? new Error(`'${entry.name}' is no text file. Download it, or open it in the workspace.`) : error);
  }
}

async function rename(entry) {
  const submit = async ({ name }) => {
    if (name === entry.name) return;
    await request("POST", filesAddress(joinPath(folderPath(), entry.name)), { json: { move_to: joinPath(folderPath(), name) } });
  };
  const renamed = await ask({ title: `Rename '${entry.name}'`, fields: [{ name: "name", label: "New name", value: entry.name }], confirm: "Rename", validate: ({ name }) => nameProblem(name), submit });
  if (renamed) await load();
}

async function remove(entries) {
  const base = folderPath();
  const restores = [];
  await attempt(async () => {
    for (const entry of entries) {
      restores.push((await requestJson("DELETE", filesAddress(joinPath(base, entry.name)))).restore);
    }
  });
  if (!restores.length) return;
  const what = entries.length === 1 ? `'${entries[0].name}'` : `${restores.length} items`;
  toast(`Deleted ${what}.`, {
    action: "Undo",
    seconds: 60,
    onAction: () => attempt(async () => {
      for (const id of restores) await request("POST", `/lib/trash/${id}`);
    }),
  });
}

// --- uploading -------------------------------------------------------------------

const uploads = new Uploads({ onDone: load });

function upload(files, base) {
  uploads.add(files.map(({ file, relative }) => ({ file, path: joinPath(base, relative) })));
}

async function drop(event) {
  event.preventDefault();
  page.classList.remove("tw-dropping");
  const base = folderPath();
  const { files, emptyFolders } = await readDrop(event.dataTransfer);
  for (const folder of emptyFolders) {
    await request("POST", filesAddress(joinPath(base, folder)), { json: { make: "folder" } }).catch((error) => {
      if (error.code !== "exists") showError(error);
    });
  }
  if (files.length) upload(files, base);
  else await load();
}

// --- events ----------------------------------------------------------------------

function keys(event) {
  if (event.target.closest("dialog, input:not([type=checkbox]), textarea")) return;
  const line = event.target.closest("tr[data-name]");
  const entry = line && state.entries.find((candidate) => candidate.name === line.dataset.name);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const lines = [...document.querySelectorAll("#rows tr")];
    const next = lines[lines.indexOf(line) + (event.key === "ArrowDown" ? 1 : -1)] ?? (line ? null : lines[0]);
    if (next) {
      event.preventDefault();
      next.querySelector(".tw-name").focus();
    }
  } else if (event.key === "F2" && entry) rename(entry);
  else if (event.key === "Delete" && entry) remove([entry]);
  else if (event.key === "/") {
    event.preventDefault();
    byId("filter").focus();
  } else if (event.key === "?") byId("help").showModal();
}

addEventListener("popstate", () => { readAddress(); load(); });
addEventListener("keydown", keys);
page.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-folder], a[data-category], a[data-place]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.category) go(state.place, link.dataset.category, "");
  else if (link.dataset.place) go(link.dataset.place, state.category, "");
  else go(state.place, state.category, link.dataset.folder);
});
page.addEventListener("dragover", (event) => { event.preventDefault(); page.classList.add("tw-dropping"); });
page.addEventListener("dragleave", (event) => { if (!page.contains(event.relatedTarget)) page.classList.remove("tw-dropping"); });
page.addEventListener("drop", (event) => drop(event).catch(showError));
byId("filter").addEventListener("input", showEntries);
byId("more").addEventListener("click", () => loadMore().catch(showError));
byId("new-folder").addEventListener("click", makeFolder);
byId("new-file").addEventListener("click", makeFile);
byId("delete-selected").addEventListener("click", () => remove(selected()));
byId("copy-path").addEventListener("click", async () => {
  await navigator.clipboard?.writeText(workspacePath()).catch(() => {});
  toast(`Path: ${workspacePath()}`);
});
byId("close-uploads").addEventListener("click", () => { byId("uploads").hidden = true; byId("upload-list").replaceChildren(); });
for (const id of ["choose-files", "choose-folder"]) {
  byId(id).addEventListener("change", (event) => {
    upload([...event.target.files].map((file) => ({ file, relative: file.webkitRelativePath || file.name })), folderPath());
    event.target.value = "";
  });
}
new IntersectionObserver((seen) => { if (seen.some((item) => item.isIntersecting)) loadMore().catch(showError); }).observe(byId("more"));
readAddress();
load();
