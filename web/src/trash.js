// What was deleted, and who did what: the two lists of an owner's past.

import { addressOf } from "./address.js";
import { eraseAsset, fetchHistory, fetchTrash, restoreAsset } from "./assets.js";
import { ask, attempt, button, byId, element, toast } from "./dom.js";
import { baseName, formatDate, formatSize, plural } from "./format.js";
import { goTo, here, me, viewer } from "./here.js";

const WORDS = { upload: "uploaded", download: "downloaded", read: "read", write: "wrote", delete: "deleted", erase: "deleted for good", restore: "restored", move: "moved", copy: "copied", "make folder": "made the folder", publish: "published", take: "took", zip: "downloaded as zip" };
const after = { trash: null, history: null };

export function show() {
  for (const view of ["trash", "history"]) byId(`${view}-view`).hidden = here.view !== view;
  if (here.view !== "trash" && here.view !== "history") return;
  byId(`${here.view}-whose`).replaceChildren(...whose());
  load(here.view, true);
}

// An administrator, and whoever may write to common, sees more than the own past.
function whose() {
  const owners = [[me, "Private"], ...(viewer.mayWriteCommon || viewer.admin ? [["common", "Common"]] : []), ...([me, "common"].includes(here.owner) ? [] : [[here.owner, here.owner]])];
  return owners.length < 2 ? [] : owners.map(([owner, label]) => element("a", { href: `/app/library/${here.view}${owner === me ? "" : `?whose=${encodeURIComponent(owner)}`}`, "data-go": "", class: owner === here.owner ? "active" : "", "aria-current": owner === here.owner ? "true" : null }, label));
}

async function load(view, fresh) {
  const rows = byId(`${view}-rows`);
  const found = await attempt(() => (view === "trash" ? fetchTrash : fetchHistory)(here.owner, fresh ? null : after[view]));
  if (!found || here.view !== view) return;
  after[view] = found.pageInfo.endCursor;
  const made = (view === "trash" ? found.nodes : withoutRepeats(found.nodes)).map(view === "trash" ? deleted : event);
  if (fresh) rows.replaceChildren(...made);
  else rows.append(...made);
  byId(`${view}-more`).hidden = !found.pageInfo.hasNextPage;
  byId(`${view}-empty`).hidden = rows.children.length > 0;
  byId(`${view}-table`).hidden = rows.children.length === 0;
}

function deleted({ id, path, by, time, expires, size }) {
  const line = element("tr", { "data-path": path },
    element("th", { scope: "row" }, element("strong", {}, baseName(path)), element("div", { class: "tw-quiet" }, path)),
    element("td", {}, formatDate(time), by === me ? "" : ` by ${by}`),
    element("td", {}, formatSize(size)),
    element("td", {}, remaining(expires)),
    element("td", { class: "tw-actions" },
      button("Restore", () => restore(), { kind: "outline-primary", "aria-label": `Restore ${baseName(path)}` }),
      button("Delete for good", () => erase(), { kind: "link", class: "btn btn-sm btn-link text-danger", "aria-label": `Delete ${baseName(path)} for good` })));
  const gone = () => {
    line.remove();
    byId("trash-empty").hidden = byId("trash-rows").children.length > 0;
    byId("trash-table").hidden = !byId("trash-empty").hidden;
  };
  async function restore() {
    const back = await attempt(() => restoreAsset(id));
    if (!back) return;
    gone();
    toast(`'${baseName(back.path)}' is back.`, { action: "Show", onAction: () => goTo(addressOf(back.path, me)) });
  }
  async function erase() {
    const submit = () => eraseAsset(id);
    if (await ask({ title: `Delete '${baseName(path)}' for good?`, text: "It cannot be brought back after this.", confirm: "Delete for good", danger: true, submit })) gone();
  }
  return line;
}

function remaining(expires) {
  const days = Math.max(0, Math.ceil((Date.parse(expires) - Date.now()) / 86_400_000));
  return `${plural(days, "day")} left`;
}

// Looking at a file asks for it several times; one line says so.
function withoutRepeats(nodes) {
  const kept = [];
  for (const node of nodes) {
    const last = kept.at(-1);
    const same = last && ["user", "action", "path", "detail"].every((key) => last[key] === node[key]);
    if (same) last.times += 1;
    else kept.push({ ...node, times: 1 });
  }
  return kept;
}

// "209715200 bytes" says less than "210 MB".
const readable = (detail) => detail.replace(/^(\d+) bytes$/, (_, bytes) => formatSize(Number(bytes)));

function event({ time, user, action, path, detail, times }) {
  return element("tr", {},
    element("td", { class: "tw-time" }, formatDate(time)),
    element("td", {}, user === me ? "you" : user),
    element("td", {}, WORDS[action] ?? action.replaceAll("_", " "), times > 1 ? ` ${times} times` : ""),
    element("td", {}, element("a", { href: addressOf(path, me), "data-go": "" }, path), detail ? element("div", { class: "tw-quiet" }, readable(detail)) : null));
}

export function setUp() {
  for (const view of ["trash", "history"]) byId(`${view}-more`).addEventListener("click", () => load(view, false));
}
