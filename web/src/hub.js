// The hub's pages of ours: theme, and what makes their forms handier. All of them work without it.

import { byId } from "./dom.js";
import { switchTheme } from "./theme.js";

byId("theme")?.addEventListener("click", switchTheme);

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
