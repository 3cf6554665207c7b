// Where the person is on the Digital Twins page: the address as state. Every change of view goes through `go`.

import { me, mayLeave, page } from "./here.js";
import { parseTwinAddress, twinAddress } from "./twins-address.js";

export { me, page };
export const here = {};

const listeners = new Set();
let settled = "";

function read() {
  Object.assign(here, parseTwinAddress(location.pathname, location.search));
  settled = location.pathname + location.search;
}

export function onMove(listener) {
  listeners.add(listener);
}

// Other words of the address stay only where the twin and its tab stay.
export function go(changes, { replace = false } = {}) {
  const moves = "twin" in changes || "tab" in changes;
  const base = moves ? { twin: here.twin } : here;
  return goTo(twinAddress({ ...base, ...changes }), { replace });
}

export function goTo(address, { replace = false } = {}) {
  if (!mayLeave()) return false;
  if (address !== settled) history[replace ? "replaceState" : "pushState"](null, "", address);
  read();
  for (const listener of listeners) listener(here);
  return true;
}

export function start() {
  addEventListener("popstate", () => {
    if (!mayLeave()) {
      history.pushState(null, "", settled);
      return;
    }
    read();
    for (const listener of listeners) listener(here);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-twin-go]");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    goTo(link.pathname + link.search);
  });
  read();
  for (const listener of listeners) listener(here);
}
