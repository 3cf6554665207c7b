// Where the person is on the Real-time page: the address as state. Every change of view goes through `go`.

import { parseRealtimeAddress, realtimeAddress } from "./realtime-address.js";

export const here = {};
let listener = () => {};

// An administrator looks at what is somebody else's with ?owner=NAME, and stays with it.
const kept = (words) => (here.words?.owner && !("owner" in words) ? { ...words, owner: here.words.owner } : words);

export const addressOf = (place) => realtimeAddress({ ...place, words: kept(place.words ?? {}) });

export function go(place, { replace = false } = {}) {
  goTo(addressOf(place), { replace });
}

// The same view with other words: a filter, a page of a list.
export function amend(words, { replace = true } = {}) {
  go({ ...here, words: { ...here.words, ...words } }, { replace });
}

function goTo(address, { replace = false } = {}) {
  if (address !== location.pathname + location.search) history[replace ? "replaceState" : "pushState"](null, "", address);
  read();
}

function read() {
  Object.assign(here, parseRealtimeAddress(location.pathname, location.search));
  listener(here);
}

export function start(onMove) {
  listener = onMove;
  addEventListener("popstate", read);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-go]");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    goTo(link.pathname + link.search);
  });
  read();
}
