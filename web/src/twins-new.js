// A new twin: from an example, from assets of the Library, or empty. What was typed stays when it is refused.

import { button, byId, element } from "./dom.js";
import { assetChooser } from "./twins-assets.js";
import { gallery } from "./twins-gallery.js";
import { fetchExamples, known, makeTwin } from "./twins-state.js";
import { makeTabs } from "./twin-tabs.js";
import { freeName, twinNameProblem } from "./twin-words.js";

const WAYS = [
  { id: "example", label: "From an example" },
  { id: "assets", label: "From assets" },
  { id: "empty", label: "Empty" },
];

// Resolves to the new twin, or to null when the dialog was dismissed.
export function openNewTwin({ example = "" } = {}) {
  return new Promise((resolve) => new NewTwin(resolve).open(example));
}

class NewTwin {
  constructor(resolve) {
    Object.assign(this, { resolve, way: "example", example: "", made: null, typed: false, taken: new Set(known.twins.map((twin) => twin.name)) });
    this.name = element("input", { id: "new-name", name: "name", class: "form-control", autocomplete: "off", spellcheck: "false", maxlength: "255", "aria-describedby": "new-problem", required: true });
    this.title = element("input", { id: "new-title", name: "title", class: "form-control", autocomplete: "off", maxlength: "200" });
    this.problem = element("div", { id: "new-problem", class: "text-danger small tw-new-problem", role: "alert" });
    this.submit = element("button", { class: "btn btn-primary", type: "submit" }, "Make twin");
    this.tabs = makeTabs({ label: "How to begin", tabs: WAYS, onChoose: (way) => this.show(way), prefix: "new" });
    this.chooser = assetChooser();
    this.form = element("form", { method: "dialog", class: "tw-new" },
      element("header", {}, element("h2", { class: "h5" }, "New twin"), button("", () => this.dialog.close(), { kind: "close", class: "btn-close", "aria-label": "Close" })),
      this.tabs.list, this.tabs.panel,
      element("footer", {},
        element("div", { class: "tw-new-fields" },
          element("label", { for: "new-name" }, element("span", {}, "Name of its folder"), this.name),
          element("label", { for: "new-title" }, element("span", {}, "Title ", element("span", { class: "tw-quiet" }, "(optional)")), this.title)),
        this.problem,
        element("div", { class: "tw-new-buttons" }, button("Cancel", () => this.dialog.close(), { small: false }), this.submit)));
    this.dialog = element("dialog", { class: "tw-dialog tw-new-dialog", "aria-label": "New twin" }, this.form);
  }

  open(example) {
    const opener = document.activeElement;
    this.name.addEventListener("input", () => {
      this.typed = this.name.value !== "";
      this.check();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.make();
    });
    this.dialog.addEventListener("close", () => {
      this.dialog.remove();
      (opener && opener !== document.body && opener.isConnected ? opener : byId("new-twin")).focus();
      this.resolve(this.made);
    });
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.tabs.list.firstChild.focus();
    this.show("example").then(() => example && this.choose(example));
  }

  async show(way) {
    this.way = way;
    this.tabs.choose(way);
    this.check();
    if (way === "assets") return this.tabs.panel.replaceChildren(element("p", { class: "tw-quiet" }, "The twin gets a twin.yaml that names them, and programs that run with them at once."), this.chooser.root);
    if (way === "empty") return this.tabs.panel.replaceChildren(element("p", {}, "The smallest twin that runs: a cup that cools down, with parameters, a table and a picture. Put your own in its place."));
    this.tabs.panel.replaceChildren(element("p", { class: "tw-quiet" }, "Looking for examples …"));
    try {
      this.examples ??= await fetchExamples();
    } catch (error) {
      return this.tabs.panel.replaceChildren(element("p", { role: "alert" }, error.message));
    }
    if (this.way !== "example") return null;
    return this.tabs.panel.replaceChildren(gallery(this.examples, { chosen: this.example, onChoose: (name) => this.choose(name) }));
  }

  choose(name) {
    this.example = name;
    const found = this.examples?.find((example) => example.name === name);
    if (!this.typed) this.name.value = freeName(name, this.taken);
    this.title.placeholder = found?.title ?? "";
    this.tabs.panel.querySelectorAll("input[name=example]").forEach((box) => { box.checked = box.value === name; });
    this.check();
  }

  check() {
    const bad = this.name.value === "" ? "" : twinNameProblem(this.name.value, this.taken);
    this.problem.textContent = bad;
    this.name.classList.toggle("is-invalid", Boolean(bad));
    this.name.setAttribute("aria-invalid", String(Boolean(bad)));
    return bad;
  }

  wish() {
    const title = this.title.value.trim();
    const from = this.way === "example" ? { example: this.example } : this.way === "assets" ? { assets: this.chooser.chosen() } : null;
    return { name: this.name.value, ...(from ? { from } : {}), ...(title ? { title } : {}) };
  }

  missing() {
    if (this.way === "example" && !this.example) return "Choose an example.";
    if (this.way === "assets" && !this.chooser.chosen().length) return "Choose at least one asset.";
    return "";
  }

  async make() {
    const bad = this.missing() || twinNameProblem(this.name.value, this.taken);
    this.problem.textContent = bad;
    if (bad) {
      if (!this.missing()) this.name.focus();
      return;
    }
    this.submit.disabled = true;
    try {
      this.made = await makeTwin(this.wish());
      this.dialog.close();
    } catch (error) {
      this.problem.textContent = error.message;
    } finally {
      this.submit.disabled = false;
    }
  }
}
