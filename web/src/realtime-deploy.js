// Deploying a model: a file from this computer, one of the Library's own, or text.

import { button, element } from "./dom.js";
import { filesAddress, searchAssets } from "./assets.js";
import { plural } from "./format.js";
import { request } from "./api.js";
import { deploy } from "./realtime-api.js";
import { exampleList } from "./realtime-examples.js";
import { modelNames } from "./realtime-text.js";
import { makeTabs } from "./twin-tabs.js";

const LARGEST = 1_000_000;
const EXAMPLE = `from typing import Annotated

from realtime import Context, Message, Twin, on_message, unit


class Reading(Message):
    temperature_c: float


class Boiler(Twin):
    hottest_c: Annotated[float, unit("degC")] = 0.0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.hottest_c = max(self.hottest_c, message.temperature_c)
        if message.temperature_c > 90:
            context.raise_alert("hot", f"{message.temperature_c} degC")
`;

// Resolves to what was deployed, {name, version}, or null. With `name` a new version of that model is meant.
export function askToDeploy({ name = "", text = "", examples = false }) {
  return new Promise((resolve) => {
    const way = { id: text ? "paste" : examples ? "examples" : "upload", files: null, entry: "" };
    const problem = element("p", { class: "alert alert-danger m-0", role: "alert", hidden: true });
    const note = element("input", { class: "form-control", name: "note", maxlength: "200", autocomplete: "off" });
    const choice = element("select", { class: "form-select" });
    const choiceLabel = element("label", { hidden: true }, "Model in the file ", choice);
    const send = element("button", { class: "btn btn-primary", type: "submit" }, "Deploy");
    const ways = { upload: uploadWay(chosen), library: libraryWay(chosen), paste: pasteWay(text || EXAMPLE, chosen), examples: { node: exampleList(), show: () => {} } };
    const tabs = makeTabs({ label: "Where the model is", prefix: "deploy", onChoose: choose, tabs: [{ id: "upload", label: "From this computer" }, { id: "library", label: "From the Library" }, { id: "paste", label: "Paste or write" }, { id: "examples", label: "Examples" }] });
    const noteLabel = element("label", {}, "What is new (optional) ", note);
    const title = name ? `A new version of '${name}'` : "Deploy a model";
    const form = element("form", { class: "tw-deploy" },
      element("h2", { class: "h5" }, title), tabs.list, tabs.panel, choiceLabel,
      noteLabel, problem,
      element("div", { class: "d-flex gap-2 justify-content-end" }, button("Cancel", () => dialog.close(), { small: false }), send));
    const dialog = element("dialog", { class: "tw-dialog tw-dialog-wide", "aria-label": title }, form);
    let made = null;

    function choose(id) {
      way.id = id;
      tabs.choose(id);
      tabs.panel.replaceChildren(ways[id].node);
      ways[id].show();
      noteLabel.hidden = send.hidden = id === "examples";
    }

    // What one of the ways has found: the file's name and its text.
    function chosen(entry, content) {
      way.entry = entry;
      way.files = { [entry]: content };
      const names = modelNames(content);
      choice.replaceChildren(...names.map((one) => element("option", { value: one, selected: one === name }, one)));
      choiceLabel.hidden = names.length < 2;
      refuse("");
    }

    function refuse(words) {
      problem.textContent = words;
      problem.hidden = !words;
      if (words) problem.scrollIntoView({ block: "nearest" });
    }

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      ways[way.id].read?.();
      if (!way.files) return refuse("Choose a file with a model first: a Python file with a class that is a Twin.");
      send.disabled = true;
      send.textContent = "Trying it out …";
      refuse("");
      try {
        made = await deploy({ files: way.files, entry: way.entry, model: choice.value || "", note: note.value });
        dialog.close();
      } catch (error) {
        refuse(error.message);
      } finally {
        send.disabled = false;
        send.textContent = "Deploy";
      }
      return undefined;
    });
    dialog.addEventListener("cancel", (event) => {
      if (ways.paste.changed()) {
        event.preventDefault();
        refuse("Your text is not deployed. Press Deploy, or Cancel to throw it away.");
      }
    });
    dialog.addEventListener("close", () => {
      ways.paste.close();
      dialog.remove();
      resolve(made);
    });
    document.body.append(dialog);
    dialog.showModal();
    choose(way.id);
  });
}

function uploadWay(chosen) {
  const told = element("p", { class: "tw-quiet m-0", role: "status" }, "One Python file. It is tried out before anything runs.");
  const input = element("input", { class: "form-control", type: "file", accept: ".py,text/x-python", "aria-label": "Python file of the model" });
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    if (file.size > LARGEST) {
      told.textContent = `'${file.name}' is larger than a model can be (1 MB).`;
      return;
    }
    chosen(file.name, await file.text());
    told.textContent = `'${file.name}' is ready to deploy.`;
  });
  return { node: element("div", { class: "tw-deploy-way" }, input, told), show: () => input.focus() };
}

function libraryWay(chosen) {
  const filter = element("input", { class: "form-control", type: "search", placeholder: "Find a Python file", "aria-label": "Find a Python file of the Library", autocomplete: "off" });
  const list = element("ul", { class: "tw-asset-list tw-file-choice", "aria-label": "Python files" });
  const told = element("p", { class: "tw-quiet m-0", role: "status" });
  let asked = 0;
  async function find() {
    asked += 1;
    const mine = asked;
    told.textContent = "Looking …";
    try {
      const { nodes } = await searchAssets({ text: `${filter.value.trim()} py`.trim() });
      if (mine !== asked) return;
      const files = nodes.filter(({ name, kind }) => name.endsWith(".py") && !/folder|tree/i.test(kind ?? ""));
      told.textContent = files.length ? plural(files.length, "Python file") : "No Python file of the Library has these words in its name or folder.";
      list.replaceChildren(...files.map(line));
    } catch (error) {
      told.textContent = error.message;
    }
  }
  const line = ({ name, path }) => element("li", {}, element("label", {},
    element("input", { class: "form-check-input", type: "radio", name: "library-file", onchange: () => take(name, path) }),
    element("span", { class: "tw-asset-words" }, name, element("span", { class: "tw-quiet" }, path))));
  async function take(name, path) {
    try {
      const content = await (await request("GET", filesAddress(path))).text();
      chosen(name, content);
      told.textContent = `'${path}' is ready to deploy.`;
    } catch (error) {
      told.textContent = error.message;
    }
  }
  let timer = 0;
  filter.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 250);
  });
  filter.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  return { node: element("div", { class: "tw-deploy-way" }, filter, list, told), show: () => { filter.focus(); find(); } };
}

function pasteWay(text, chosen) {
  const node = element("div", { class: "tw-deploy-way tw-deploy-code" });
  let editor = null;
  const show = async () => {
    if (editor) return editor.focus();
    const { openCode } = await import("./code.js");
    editor ??= openCode(node, { text, name: "model.py", label: "The model's code", editable: true });
    return undefined;
  };
  return { node, show, read: () => editor && chosen("model.py", editor.text()), changed: () => Boolean(editor) && editor.text() !== text, close: () => editor?.close() };
}
