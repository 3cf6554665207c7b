// The hub's pages of ours: theme, and what makes their forms handier. All of them work without it.

import { byId } from "./dom.js";
import { switchTheme } from "./theme.js";

if (byId("banner")) import("./banner.js");
byId("theme")?.addEventListener("click", switchTheme);

// The hub writes times of UTC.
for (const time of document.querySelectorAll("time[datetime]")) {
  const read = new Date(time.dateTime);
  if (!Number.isNaN(read.getTime())) time.textContent = read.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

// An invitation's token stands behind '#', which browsers send to nobody; here it moves into the form and out of the address.
const invitation = byId("invitation");
if (invitation && location.hash.length > 1) {
  invitation.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}

const copy = byId("copy-secret");
copy?.addEventListener("click", async () => {
  const done = await navigator.clipboard?.writeText(byId("secret").textContent).then(() => true, () => false);
  if (done) copy.textContent = "Copied";
  else getSelection().selectAllChildren(byId("secret"));
});
