// What can be done with assets, wherever they are shown: the same words, dialogs and keys in rows, selection and details.

import { addressOf } from "./address.js";
import { copyAsset, deleteAsset, fetchVersions, filesAddress, makeFolder, moveAsset, publishAsset, restoreAsset, takeAsset } from "./assets.js";
import { ask, attempt, lazy, showError, toast } from "./dom.js";
import { baseName, besideName, endingOf, joinPath, nameProblem, parentPath, plural } from "./format.js";
import { folderPath, go, goTo, here, me, mayWriteTo, viewer, workspacePath } from "./here.js";
import { chooseFolder } from "./folder-picker.js";

const LARGEST_EDIT = 1_000_000;
const NEVER_TEXT = ["png", "jpg", "jpeg", "gif", "webp", "fmu", "zip", "gz", "tar", "pdf", "h5", "mat", "npy", "parquet", "xlsx", "docx", "exe", "so", "dll"];
let changed = async () => {};

// Tell what is to be shown anew after a change.
export function onChanged(listener) {
  changed = listener;
}

export const ownerOf = (path) => path.split("/")[0];
const isFolder = (item) => item.type === "tree";
const mayEdit = (item) => !isFolder(item) && item.size <= LARGEST_EDIT && !NEVER_TEXT.includes(endingOf(item.name));

// The actions for one item or several; null is a line between groups.
export function actionsFor(items) {
  return items.length === 1 ? single(items[0]) : several(items);
}

function single(item) {
  const writable = mayWriteTo(ownerOf(item.path)) && !item.frozen;
  const zip = { label: "Download as zip", href: filesAddress(item.path, { zip: true, ref: here.ref }), download: `${item.name}.zip` };
  const file = { label: "Download", href: filesAddress(item.path, { ref: here.ref }), download: item.name };
  return tidy([
    { label: "Details", run: () => goTo(addressOf(item.path, me, { ref: here.ref })) },
    isFolder(item) ? zip : file,
    writable && mayEdit(item) && { label: "Edit", key: "E", run: () => edit(item) },
    null,
    ...sharing(item),
    viewer.mayWrite && { label: "Copy to…", run: () => copyItems([item]) },
    { label: "Copy workspace path", run: () => copyPath(item.path) },
    null,
    writable && { label: "Move to…", run: () => moveItems([item]) },
    writable && { label: "Rename", key: "F2", run: () => rename(item) },
    writable && { label: "Delete", key: "Del", danger: true, run: () => remove([item]) },
  ]);
}

function sharing(item) {
  const mine = ownerOf(item.path) !== "common";
  return [
    mine && viewer.mayWriteCommon && !here.ref && item.path.split("/").length > 2 && { label: "Publish to common…", run: () => publish(item) },
    !mine && isPublished(item) && viewer.mayWrite && !here.ref && { label: "Take into my folder", run: () => take(item) },
  ];
}

// As far as a list can tell; the details know for sure.
const isPublished = (item) => item.published ?? (item.path.split("/").length === 3 && item.name.includes("@"));

function several(items) {
  const writable = items.every((item) => mayWriteTo(ownerOf(item.path)));
  return tidy([
    items.length === 2 && { label: "Compare", run: () => go({ show: items[1].name, compare: items[0].path }) },
    viewer.mayWrite && { label: "Copy to…", run: () => copyItems(items) },
    writable && { label: "Move to…", run: () => moveItems(items) },
    writable && { label: "Delete", danger: true, run: () => remove(items) },
  ]);
}

function tidy(list) {
  const found = list.filter((item) => item !== false && item !== undefined);
  return found.filter((item, index) => item !== null || (index > 0 && index < found.length - 1 && found[index - 1] !== null));
}

const onSaved = ({ made = "" }) => changed({ name: made });

export async function edit(item) {
  await attempt(async () => {
    const { openEditor } = await lazy(() => import("./editor.js"));
    await openEditor({ path: item.path, onSaved });
  });
}

export async function newFile() {
  const base = folderPath();
  await attempt(async () => {
    const { openEditor } = await lazy(() => import("./editor.js"));
    await openEditor({ folder: base, onSaved });
  });
}

export async function newFolder() {
  const base = folderPath();
  const submit = ({ name }) => makeFolder(joinPath(base, name));
  const made = await ask({ title: "New folder", fields: [{ name: "name", label: "Name" }], confirm: "Make folder", validate: ({ name }) => nameProblem(name), submit });
  if (made) await changed({ name: made.name });
}

export async function rename(item) {
  const submit = async ({ name }) => {
    if (name !== item.name) await moveAsset(item.path, joinPath(parentPath(item.path), name));
  };
  const renamed = await ask({ title: `Rename '${item.name}'`, fields: [{ name: "name", label: "New name", value: item.name }], confirm: "Rename", validate: ({ name }) => nameProblem(name), submit });
  if (!renamed || renamed.name === item.name) return;
  if (here.show === item.name) go({ show: renamed.name, edit: "" }, { replace: true });
  await changed({ name: renamed.name });
}

export async function remove(items) {
  const ids = [];
  await attempt(async () => {
    for (const item of items) ids.push((await deleteAsset(item.path)).id);
  });
  if (ids.length && items.some((item) => item.name === here.show)) go({ show: "", edit: "" }, { replace: true });
  await changed({ gone: ids.length > 0 });
  if (!ids.length) return;
  toast(`Deleted ${items.length === 1 ? `'${items[0].name}'` : plural(ids.length, "item")}. It can be brought back for 30 days.`, {
    action: "Undo",
    seconds: 60,
    onAction: async () => {
      await attempt(async () => {
        for (const id of ids) await restoreAsset(id);
      });
      await changed({});
    },
  });
}

async function copyItems(items) {
  const ref = here.ref;
  const target = await chooseFolder({ title: `Copy ${named(items)} to`, confirm: "Copy here", start: here.owner === "common" ? joinPath(me, here.category) : folderPath() });
  if (target === null) return;
  await attempt(async () => {
    for (const item of items) await place(item, target, (path) => copyAsset(item.path, path, ref));
    told(`Copied ${named(items)}.`, joinPath(target, items[0].name), items.length === 1 && isFolder(items[0]));
  });
  await changed({});
}

// A copy beside its own original gets a name of its own.
async function place(item, target, work) {
  let name = item.name;
  for (const tried = new Set(); ; tried.add(name)) {
    try {
      return await work(joinPath(target, name));
    } catch (error) {
      if (error.code !== "exists" || parentPath(item.path) !== target || tried.size > 20) throw error;
      name = besideName(item.name, tried);
    }
  }
}

async function moveItems(items) {
  const inside = items.filter(isFolder).map((item) => item.path);
  const target = await chooseFolder({ title: `Move ${named(items)} to`, confirm: "Move here", start: folderPath(), except: inside });
  if (target === null || target === parentPath(items[0].path)) return;
  await attempt(async () => {
    for (const item of items) await moveAsset(item.path, joinPath(target, item.name));
    told(`Moved ${named(items)}.`, joinPath(target, items[0].name), false);
  });
  await changed({ gone: true });
}

async function publish(item) {
  const versions = await fetchVersions(item.path).catch(() => []);
  const ending = isFolder(item) || !endingOf(item.name) ? "" : item.name.slice(item.name.lastIndexOf("."));
  const fields = [
    { name: "name", label: "Name in common", value: item.name, hint: "Everybody on this platform will find it under this name." },
    { name: "version", label: "Version", value: nextVersion(versions), hint: "What is published is frozen: the next change gets the next version." },
    { name: "note", label: "What is new (optional)", multiline: true, rows: 4 },
  ];
  let made;
  const submit = async ({ name, version, note }) => {
    made = await publishAsset(item.path, version, name.endsWith(ending) ? name : name + ending, note);
  };
  const validate = ({ name, version }) => nameProblem(name) || (/^[0-9A-Za-z][0-9A-Za-z.+-]*$/.test(version) ? "" : "A version is like 1.0.0: letters, digits, '.', '-' and '+'.");
  if (!(await ask({ title: `Publish '${item.name}' to common`, fields, confirm: "Publish", validate, submit }))) return;
  told(`Published as ${baseName(made.path)}.`, made.path, false);
  await changed({});
}

export function nextVersion(versions) {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(versions[0]?.version ?? "") ?? [];
  return major === undefined ? "1.0.0" : `${major}.${Number(minor) + 1}.0`;
}

async function take(item) {
  let taken = null;
  try {
    taken = await takeAsset(item.path);
  } catch (error) {
    if (error.code !== "exists") return showError(error);
    const category = item.path.split("/")[1];
    const submit = async ({ name }) => {
      taken = await takeAsset(item.path, joinPath(me, category, name));
    };
    const value = item.name.replace(/@[^@]*$/, "");
    await ask({ title: "You have that name already", text: error.message, fields: [{ name: "name", label: "Take it as", value: besideName(value, new Set()) }], confirm: "Take", validate: ({ name }) => nameProblem(name), submit });
  }
  if (taken) told(`'${baseName(taken.path)}' is in your own folder now. Where it came from is kept.`, taken.path, taken.kind === "FOLDER");
  return null;
}

export async function copyPath(path) {
  const text = workspacePath(path);
  await navigator.clipboard?.writeText(text).catch(() => {});
  toast(`Path: ${text}`);
}

const named = (items) => (items.length === 1 ? `'${items[0].name}'` : plural(items.length, "item"));

function told(message, path, open) {
  toast(message, { action: "Show", onAction: () => goTo(addressOf(path, me, open ? { isFolder: true, open: true } : {})) });
}
