// Everything about one file or folder, beside the list; its address can be linked.

import { addressOf, shownPath } from "./address.js";
import { actionsFor, edit, ownerOf } from "./actions.js";
import { fetchAsset, fetchSha256, filesAddress } from "./assets.js";
import { button, byId, element } from "./dom.js";
import { baseName, formatDate, formatSize, kindOf, plural } from "./format.js";
import { go, here, me, mayWriteTo, workspacePath } from "./here.js";
import { openMenu } from "./menu.js";
import { markdownOf, preview } from "./preview.js";

const state = { key: "", asked: null };

export function show({ force = false } = {}) {
  const open = Boolean(here.show) && here.view === "folder";
  byId("split").classList.toggle("tw-open", open);
  byId("details").hidden = !open;
  const path = open ? shownPath(here) : "";
  const key = open ? JSON.stringify([path, here.ref, here.compare]) : "";
  if (key === state.key && !force) return;
  const fresh = key !== state.key;
  state.key = key;
  state.asked?.abort();
  if (!open) return byId("details").replaceChildren();
  // On a narrow screen the details stand in the list's place.
  if (fresh && getComputedStyle(byId("list-panel")).display === "none") scrollTo(0, 0);
  state.asked = new AbortController();
  if (fresh) byId("details").replaceChildren(header(baseName(path), null), element("p", { class: "tw-quiet tw-details-body" }, "…"));
  return fill(path, state.asked.signal);
}

async function fill(path, signal) {
  try {
    if (here.compare) {
      const { compareView } = await import("./compare.js");
      const view = await compareView(path, here.compare, here.ref);
      if (!signal.aborted) byId("details").replaceChildren(header("Compare", null), view);
      return;
    }
    const asset = await fetchAsset(path, here.ref, signal);
    const parts = await body(asset);
    if (signal.aborted) return;
    byId("details").replaceChildren(header(asset.card.title || asset.name, asset), parts);
    if (here.edit) {
      go({ edit: "" }, { replace: true });
      if (!here.ref && asset.mayWrite) await edit({ path });
    }
  } catch (error) {
    if (signal.aborted) return;
    const words = error.code === "not_found" ? "It is not there any more. Somebody may have moved or deleted it." : error.message;
    byId("details").replaceChildren(header(baseName(path), null), element("p", { class: "tw-details-body", role: "alert" }, words));
  }
}

function header(title, asset) {
  return element("header", { class: "tw-details-head" },
    asset ? element("span", { class: "tw-icon", "data-kind": asset.kind === "FOLDER" ? "folder" : kindOf(asset.name), "aria-hidden": "true" }) : null,
    element("div", { class: "tw-details-title" }, element("h2", { class: "h5", tabindex: "-1", id: "details-title" }, title), asset && title !== asset.name ? element("span", { class: "tw-quiet" }, asset.name) : null),
    button("", () => close(), { kind: "close", class: "btn-close", "aria-label": "Close details" }));
}

function close() {
  go({ show: "", compare: "", edit: "" });
  byId("list").focus({ preventScroll: true });
}

async function body(asset) {
  const shown = await preview(asset, here.ref).catch((error) => element("p", { role: "alert" }, error.message));
  const isFolder = asset.kind === "FOLDER";
  return element("div", { class: "tw-details-body" },
    actions(asset),
    asset.card.description ? element("p", { class: "tw-lead" }, asset.card.description) : null,
    tags(asset),
    ...problems(asset),
    asset.publication ? published(asset) : null,
    asset.twin ? twin(asset) : null,
    shown ? section(asset.fmu ? "FMU" : asset.table ? "Table" : "Preview", shown, { quiet: true }) : null,
    asset.readme && isFolder ? section("README", await markdownOf(asset.readme, asset, here.ref), { quiet: true }) : null,
    ports(asset.card),
    versions(asset),
    section("Facts", facts(asset)));
}

function section(title, content, { quiet = false } = {}) {
  return element("section", { class: "tw-section" }, element("h3", { class: quiet ? "visually-hidden" : "h6" }, title), content);
}

function actions(asset) {
  const isFolder = asset.kind === "FOLDER";
  const item = { path: asset.path, name: asset.name, type: isFolder ? "tree" : "blob", size: asset.size, versions: asset.versions, frozen: Boolean(asset.publication), published: asset.publication?.path === asset.path };
  const listed = actionsFor([item]).filter((action) => action && action.label !== "Details");
  const first = isFolder
    ? element("a", { class: "btn btn-primary btn-sm", href: addressOf(asset.path, me, { isFolder: true, open: true, ref: here.ref }), "data-go": "" }, "Open folder")
    : element("a", { class: "btn btn-primary btn-sm", href: filesAddress(asset.path, { ref: here.ref }), download: asset.name }, "Download");
  const editable = !isFolder && asset.text?.editable && asset.mayWrite && !here.ref && !item.frozen && mayWriteTo(ownerOf(asset.path));
  const rest = listed.filter((action) => action.label !== "Download" && action.label !== "Edit");
  const taking = rest.filter((action) => /^(Take|Publish)/.test(action.label));
  const others = rest.filter((action) => !taking.includes(action));
  return element("div", { class: "tw-details-actions" }, first,
    editable ? button("Edit", () => edit(item), { kind: "outline-primary" }) : null,
    ...taking.map((action) => button(action.label, action.run, { kind: "outline-primary" })),
    button("More", (event) => openMenu(event.currentTarget, others, { label: `Actions for ${asset.name}` }), { "aria-haspopup": "menu" }));
}

function tags({ card, path }) {
  if (!card.tags.length && !card.licence) return null;
  const [, category] = path.split("/");
  return element("p", { class: "tw-tags" },
    ...card.tags.map((tag) => element("a", { class: "tw-tag", href: `/app/library/private/${category}?tag=${encodeURIComponent(tag)}`, "data-go": "" }, tag)),
    card.licence ? element("span", { class: "tw-quiet" }, `Licence: ${card.licence}`) : null);
}

function problems({ card, twin: described }) {
  return [...card.problems, ...(described?.problems ?? [])].map((words) => element("p", { class: "tw-note", role: "note" }, words));
}

function published({ publication }) {
  const { version, by, time, note, intact, derivedFrom } = publication;
  return element("div", { class: `tw-note ${intact ? "tw-note-good" : "tw-note-bad"}` },
    element("strong", {}, `Version ${version}`), `, published by ${by} on ${formatDate(time)}. `,
    intact ? "Frozen: its checksums are as they were then." : "Something in it was changed after it was published: its checksums do not fit any more.",
    derivedFrom ? element("div", {}, `Derived from ${derivedFrom}`) : null,
    note ? element("div", { class: "tw-pre" }, note) : null);
}

function twin({ path, card, twin: { title, description, phases, uses } }) {
  const own = path.match(/^([^/]+)\/digital_twins\/([^/]+)$/);
  const address = own?.[1] === me ? `/app/digitaltwins/${encodeURIComponent(own[2])}` : "/app/digitaltwins";
  return section("Digital twin", element("div", {},
    title && title !== card.title ? element("p", {}, element("strong", {}, title)) : null,
    description && description !== card.description ? element("p", {}, description) : null,
    element("p", { class: "tw-tags" }, element("span", { class: "tw-quiet" }, "Phases"), ...phases.map((phase) => element("span", { class: "tw-tag" }, phase))),
    uses.length ? element("ul", { class: "tw-uses" }, ...uses.map(({ category, path }) => element("li", {}, element("span", { class: "tw-quiet" }, `${category}: `), element("a", { href: addressOf(usedPath(category, path), me), "data-go": "" }, path)))) : null,
    element("a", { class: "btn btn-sm btn-outline-secondary", href: address }, "Run it on the Digital Twins page")));
}

// A twin names what it uses from its owner's folder on, or from common on.
function usedPath(category, path) {
  const parts = path.split("/");
  if (parts[0] === "common" || parts[0] === here.owner) return path;
  return [here.owner, ...(parts[0] === category ? [] : [category]), ...parts].join("/");
}

function ports({ inputs, outputs }) {
  if (!inputs.length && !outputs.length) return null;
  const line = (way) => ({ name, type, unit, description }) => element("tr", {}, element("td", {}, way), element("th", { scope: "row" }, name), element("td", {}, [type, unit].filter(Boolean).join(", ")), element("td", {}, description ?? ""));
  return section("Inputs and outputs", element("div", { class: "tw-scroll" }, element("table", { class: "tw-table tw-table-text" }, element("tbody", {}, ...inputs.map(line("in")), ...outputs.map(line("out"))))));
}

function versions({ path, versions: all, origin }) {
  const from = origin ? element("p", {}, "Taken from ", element("a", { href: addressOf(origin.path, me), "data-go": "" }, origin.path), ` on ${formatDate(origin.time)}. `, compareLink(origin.path, path)) : null;
  if (!all.length && !from) return null;
  return section("Versions", element("div", {}, from, element("ul", { class: "tw-versions" }, ...all.map((version) => element("li", {},
    element("a", { href: addressOf(version.path, me), "data-go": "" }, version.version), element("span", { class: "tw-quiet" }, ` ${version.by}, ${formatDate(version.time)} `),
    version.path === path ? element("span", { class: "tw-tag" }, "this one") : compareLink(version.path, path), version.note ? element("div", { class: "tw-quiet tw-pre" }, version.note) : null)))));
}

function compareLink(old) {
  return button("Compare", () => go({ compare: old }), { kind: "link", "aria-label": `Compare with ${old}` });
}

function facts(asset) {
  const { path, kind, size, modified, mediaType, owner, publication } = asset;
  const sum = element("dd", {}, button("Compute", async () => {
    sum.textContent = "computing …";
    sum.textContent = await fetchSha256(path, here.ref).catch((error) => error.message);
  }, { kind: "link" }));
  sum.className = "tw-sum";
  const known = [
    kind === "FILE" ? ["Size", `${formatSize(size)} (${plural(size, "byte")})`] : null,
    ["Changed", formatDate(modified)],
    kind === "FILE" ? ["Media type", mediaType] : null,
    ["Owner", owner],
    ["In the workspace", workspacePath(path)],
    ["In the library", path],
    publication ? ["Published files", plural(publication.files.length, "file")] : null,
  ].filter(Boolean);
  return element("dl", { class: "tw-facts" }, ...known.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)]), ...(kind === "FILE" ? [element("dt", {}, "SHA-256"), sum] : []));
}
