// Choosing a folder to copy or move to: one column, walked with mouse or keyboard.

import { filesAddress, makeFolder } from "./assets.js";
import { ask, button, element } from "./dom.js";
import { joinPath, nameProblem } from "./format.js";
import { me, mayWriteTo } from "./here.js";
import { requestJson } from "./api.js";

const CATEGORIES = [["data", "Data"], ["models", "Models"], ["functions", "Functions"], ["tools", "Tools"], ["digital_twins", "Digital Twins"]];

// Resolves to a folder's path from the owner on, or to null. `except` are folders that cannot hold themselves.
export function chooseFolder({ title, confirm, start, except = [] }) {
  return new Promise((resolve) => {
    let at = start;
    const problem = element("div", { class: "text-danger small", role: "alert" });
    const trail = element("ol", { class: "tw-crumbs" });
    const list = element("ul", { class: "tw-picker", "aria-label": "Folders" });
    const choose = button(confirm, () => dialog.close(at), { kind: "primary", small: false });
    const make = button("New folder", () => newFolder(), { small: false });
    const dialog = element("dialog", { class: "tw-dialog", "aria-label": title },
      element("h2", { class: "h5" }, title), element("nav", { "aria-label": "Folder" }, trail), list, problem,
      element("div", { class: "d-flex gap-2 justify-content-end mt-3 flex-wrap" }, make, button("Cancel", () => dialog.close(""), { small: false }), choose));

    async function show(path) {
      at = path;
      problem.textContent = "";
      const parts = path.split("/");
      const deep = parts.length > 1;
      choose.disabled = make.disabled = !deep || !mayWriteTo(parts[0]) || except.some((folder) => path === folder || path.startsWith(`${folder}/`));
      trail.replaceChildren(...parts.map((part, index) => element("li", {}, link(index === 0 ? ownerLabel(part) : part, parts.slice(0, index + 1).join("/")))));
      list.replaceChildren(...(await folders(path).catch((error) => {
        problem.textContent = error.message;
        return [];
      })).map(([label, target]) => element("li", {}, link(label, target))));
      if (!list.children.length) list.append(element("li", { class: "tw-quiet" }, "No folders in here."));
    }

    function link(label, path) {
      return element("button", { class: "btn btn-link", type: "button", onclick: () => show(path) }, label);
    }

    async function newFolder() {
      const made = await ask({ title: "New folder", fields: [{ name: "name", label: "Name" }], confirm: "Make folder", validate: ({ name }) => nameProblem(name), submit: ({ name }) => makeFolder(joinPath(at, name)) });
      if (made) await show(joinPath(at, made.name));
    }

    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
    document.body.append(dialog);
    dialog.showModal();
    choose.focus();
    show(start);
  });
}

const ownerLabel = (owner) => (owner === me ? "Private" : owner === "common" ? "Common" : owner);

async function folders(path) {
  if (!path.includes("/")) {
    const other = path === me ? "common" : me;
    const mine = CATEGORIES.map(([name, label]) => [label, joinPath(path, name)]);
    return mayWriteTo(other) ? [...mine, [`${ownerLabel(other)} …`, other]] : mine;
  }
  const found = [];
  for (let after = 0; after !== null && found.length < 1000;) {
    const content = await requestJson("GET", `${filesAddress(path)}/?first=500&after=${after}`);
    found.push(...content.entries.filter((entry) => entry.type === "tree"));
    after = content.next ?? null;
  }
  return found.map((entry) => [entry.name, joinPath(path, entry.name)]);
}
