// Where the person is: the address as state. Every change of view goes through `go`.

import { formatAddress, parseAddress } from "./address.js";
import { byId } from "./dom.js";
import { joinPath } from "./format.js";

export const page = byId("library") ?? byId("twins");
export const me = page.dataset.user;
export const here = {};
export const viewer = { name: me, admin: false, mayWrite: true, mayWriteCommon: false, backend: "disk", known: false };

const listeners = new Set();
let guard = () => true;
let settled = "";

function read() {
  Object.assign(here, parseAddress(location.pathname, location.search, me));
  settled = location.pathname + location.search;
}

export function onMove(listener) {
  listeners.add(listener);
}

// Let `check` say whether what is open may be left; it tells the person why not.
export function setGuard(check) {
  guard = check ?? (() => true);
}

export const mayLeave = () => guard();

export function addressWith(changes) {
  return formatAddress({ ...here, ...changes });
}

export function go(changes, { replace = false } = {}) {
  return goTo(addressWith(changes), { replace });
}

export function goTo(address, { replace = false } = {}) {
  if (!guard()) return;
  if (address !== settled) history[replace ? "replaceState" : "pushState"](null, "", address);
  read();
  for (const listener of listeners) listener(here);
}

export function start() {
  addEventListener("popstate", () => {
    if (!guard()) {
      history.pushState(null, "", settled);
      return;
    }
    read();
    for (const listener of listeners) listener(here);
  });
  read();
  for (const listener of listeners) listener(here);
}

export const folderPath = () => joinPath(here.owner, here.category, here.folder);
export const workspacePath = (path) => `/workspace/${path.startsWith(`${me}/`) ? path.slice(me.length + 1) : path}`;

// Published assets that were looked at, with their version: nothing in them can be changed.
export const frozen = new Map();
export const publishedPath = () => (here.owner === "common" && here.folder.includes("@") ? joinPath(here.owner, here.category, here.folder.split("/")[0]) : "");

export function mayWriteTo(owner) {
  if (here.ref || (owner === here.owner && frozen.get(publishedPath()))) return false;
  return owner === "common" ? viewer.mayWriteCommon : viewer.mayWrite && (owner === me || viewer.admin);
}

// Why nothing can be changed here, or "".
export function whyReadOnly() {
  if (here.ref) return `You are looking at '${here.ref}'. Older states and other branches can be read, copied and compared, not changed.`;
  if (mayWriteTo(here.owner)) return "";
  if (frozen.get(publishedPath())) return `This is version ${frozen.get(publishedPath())}, which is frozen. Take it into your own folder to change it.`;
  if (here.owner === "common") return "Common is shared by all and read-only for you. Take an asset into your own folder to change it; an administrator can let you publish.";
  return viewer.mayWrite ? "This belongs to somebody else, so it is read-only for you." : "Your account may read the library, not change it.";
}
