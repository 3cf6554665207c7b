// Keys of devices: made, copied once, revoked.

import { ask, attempt, button, element, toast } from "./dom.js";
import { formatTime } from "./format.js";
import { fetchCredentials, makeCredential, owner, revokeCredential } from "./realtime-api.js";

export async function open(box, { model }) {
  const body = element("tbody", {});
  const table = element("table", { class: "tw-list", hidden: true }, element("thead", {}, element("tr", {}, ...["Device", "Made", ""].map((label) => element("th", { scope: "col" }, label || element("span", { class: "visually-hidden" }, "Actions"))))), body);
  const none = element("p", { class: "tw-quiet", hidden: true }, "No device has a key yet. Make one above for each device that sends by MQTT; programs send with a token of yours.");
  const made = element("div", { class: "alert alert-success", role: "status", hidden: true });
  const id = element("input", { class: "form-control", name: "instance", required: true, maxlength: "200", autocomplete: "off", spellcheck: "false", placeholder: "turbine-17" });
  const problem = element("p", { class: "alert alert-danger", role: "alert", hidden: true });
  const form = element("form", { class: "tw-form" }, element("label", {}, "Device ", id), element("button", { class: "btn btn-primary", type: "submit" }, "Make a key"));
  box.append(element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "A key for a device"),
    element("p", { class: "tw-quiet" }, "A device signs in with a user name and its key, and can only speak for itself."), form, problem, made),
  element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "Devices with a key"), none, element("div", { class: "tw-scroll", tabindex: "0", role: "region", "aria-label": "Devices with a key" }, table)));

  async function look() {
    const list = await fetchCredentials(model.name);
    none.hidden = list.length > 0;
    table.hidden = list.length === 0;
    body.replaceChildren(...list.map((one) => element("tr", {}, element("td", {}, one.instance), element("td", { class: "tw-time" }, one.made_at ? formatTime(one.made_at) : ""),
      element("td", { class: "tw-actions" }, button("New key", () => make(one.instance), { "aria-label": `New key for ${one.instance}` }), " ", button("Revoke", () => revoke(one.instance), { kind: "outline-danger", "aria-label": `Revoke the key of ${one.instance}` })))));
  }

  async function make(instance) {
    problem.hidden = true;
    try {
      const { key, user } = await makeCredential(model.name, instance);
      const name = user ?? `${owner()}/${model.name}/${instance}`;
      made.replaceChildren(element("p", {}, element("strong", {}, "Copy it now: it is shown only this once.")),
        secret("User name", name), secret("Key", key));
      made.hidden = false;
      id.value = "";
      await look();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  async function revoke(instance) {
    const sure = await ask({ title: `Revoke the key of '${instance}'?`, text: "The device cannot sign in any more until it has a new key.", confirm: "Revoke", danger: true, submit: () => revokeCredential(model.name, instance) });
    if (!sure) return;
    toast(`The key of '${instance}' is revoked.`);
    await attempt(look);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    make(id.value.trim());
  });
  await look();
  return {};
}

function secret(label, text) {
  return element("div", { class: "tw-secret mb-1" }, element("span", { class: "tw-secret-label" }, label), element("code", {}, text), " ", button("Copy", async () => {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    toast(done ? "Copied." : "The browser does not let the page copy. Select the text and press Ctrl+C.");
  }, { "aria-label": `Copy the ${label.toLowerCase()}` }));
}
