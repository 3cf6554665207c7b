// The page of tokens: list them, make one, revoke one.

import "./frame.js";
import { requestJson } from "./api.js";
import { ask, attempt, button, byId, element, toast } from "./dom.js";

const ADDRESS = "/app/api/tokens";
const FRESH_SIGN_IN = "/hub/oauth_login?fresh=1&next=%2Fapp%2Ftokens";

function moment(time, missing) {
  if (!time) return missing;
  const read = new Date(time);
  return element("time", { datetime: time, title: read.toLocaleString() }, read.toLocaleDateString(undefined, { dateStyle: "medium" }));
}

function row(token) {
  const revoking = () => attempt(() => revoke(token));
  return element("tr", {},
    element("td", { "data-label": "What uses it" }, element("span", {}, token.note || "without a note")),
    element("td", { "data-label": "It may" }, element("span", {}, token.access)),
    element("td", { "data-label": "Made" }, moment(token.created, "?")),
    element("td", { "data-label": "Ends" }, moment(token.expires, "never")),
    element("td", { "data-label": "Last used" }, moment(token.last_used, "never")),
    element("td", { class: "tw-actions" }, button("Revoke", revoking, { kind: "outline-danger", "aria-label": `Revoke ${token.note}` })));
}

async function refresh() {
  const { tokens, proof } = await requestJson("GET", ADDRESS);
  byId("rows").replaceChildren(...tokens.map(row));
  byId("list").hidden = tokens.length === 0;
  byId("none").hidden = tokens.length > 0;
  byId("password-field").hidden = proof !== "password";
  byId("make").elements.password.required = proof === "password";
}

async function revoke(token) {
  const text = "Programs that use it are refused from now on. This cannot be undone; you can make another token.";
  if (!(await ask({ title: `Revoke '${token.note}'?`, text, confirm: "Revoke it", danger: true }))) return;
  await requestJson("DELETE", `${ADDRESS}/${token.id}`);
  toast(`Revoked '${token.note}'.`);
  await refresh();
}

function refuse(error) {
  const parts = [error.message];
  if (error.code === "sign_in_again") parts.push(" ", element("a", { href: FRESH_SIGN_IN }, "Sign in again"));
  byId("refusal").replaceChildren(...parts);
  byId("refusal").hidden = false;
}

byId("make").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  byId("refusal").hidden = true;
  byId("made").hidden = true;
  const { note, access, hours, password } = Object.fromEntries(new FormData(form));
  try {
    const { token } = await requestJson("POST", ADDRESS, { json: { note, access, hours: Number(hours), password } });
    byId("token").textContent = token;
    byId("made").hidden = false;
    form.elements.note.value = "";
    byId("copy").focus();
  } catch (error) {
    refuse(error);
  } finally {
    form.elements.password.value = "";
  }
  await attempt(refresh);
});

byId("copy").addEventListener("click", async () => {
  const copied = await navigator.clipboard?.writeText(byId("token").textContent).then(() => true, () => false);
  if (copied) return toast("Copied.");
  getSelection().selectAllChildren(byId("token"));
  return toast("Selected: press Ctrl+C to copy it.");
});

attempt(refresh);
