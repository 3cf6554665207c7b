// Editing text in place. What was typed is lost by no key, no refusal and no step back.

import { fetchText, writeText } from "./assets.js";
import { openCode } from "./code.js";
import { ask, button, element, showError, toast } from "./dom.js";
import { baseName, joinPath, nameProblem } from "./format.js";
import { setGuard } from "./here.js";

let isOpen = false;

// Line ends stay as they were; CodeMirror itself knows only one kind.
const plainLines = (text) => text.replaceAll("\r\n", "\n");

// Edit the file at `path`, or make a new one in `folder`. Resolves when the editor is closed.
// `at` is {line, column} where the cursor is wanted.
export async function openEditor({ path = null, folder = null, at = null, onSaved = () => {} }) {
  if (isOpen) return;
  isOpen = true;
  try {
    const read = path === null ? { text: "", etag: null } : await readEditable(path);
    await new Promise((resolve) => new Editor({ path, folder, at, ...read, onSaved, onClose: resolve }).open());
  } finally {
    isOpen = false;
    setGuard(null);
  }
}

async function readEditable(path) {
  const { etag, text } = await fetchText(path);
  if (!text) throw new Error(`'${baseName(path)}' is no text file. Download it, or open it in the workspace.`);
  if (!text.editable) throw new Error(`'${baseName(path)}' is too large to edit here, or is not UTF-8. Download it, or open it in the workspace.`);
  return { text: text.text, etag };
}

class Editor {
  constructor({ path, folder, at, text, etag, onSaved, onClose }) {
    Object.assign(this, { path, folder, at, etag, onSaved, onClose, saved: plainLines(text), crlf: text.includes("\r\n"), theirs: null });
    this.problem = element("div", { class: "tw-problem", role: "alert" });
    this.note = element("span", { class: "tw-quiet", role: "status" });
    this.box = element("div", { class: "tw-editor-text" });
    this.checks = element("ul", { class: "tw-editor-checks", "aria-label": "Problems", "aria-live": "polite", hidden: true });
    this.name = path === null ? element("input", { id: "editor-name", class: "form-control form-control-sm", spellcheck: "false", autocomplete: "off" }) : null;
    if (this.name) this.name.value = "notes.md";
    this.saveButton = button("Save", () => this.save(), { kind: "primary", title: "Ctrl+S" });
    this.dialog = element("dialog", { class: "tw-editor", "aria-label": path ? `Edit ${baseName(path)}` : "New text file" },
      element("header", {},
        element("h2", { class: "h6" }, path ? baseName(path) : "New text file"),
        this.name ? element("label", { class: "tw-editor-name", for: "editor-name" }, element("span", {}, "Name"), this.name) : null,
        this.note, this.saveButton, button("Close", () => this.close())),
      this.problem, this.box, this.checks);
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    const name = this.name?.value ?? this.path;
    this.code = openCode(this.box, { text: this.saved, name, label: "Text", editable: true, onChange: () => this.changed(), onSave: () => this.save(), onProblems: (problems) => this.showProblems(problems) });
    this.name?.addEventListener("input", () => { this.code.speak(this.name.value); this.changed(); });
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      if (this.isDirty()) this.say("Your text is not saved. Press Save, or Close to decide.");
      else this.end();
    });
    this.warn = (event) => { if (this.isDirty()) event.preventDefault(); };
    addEventListener("beforeunload", this.warn);
    setGuard(() => {
      if (!this.isDirty()) {
        this.end();
        return true;
      }
      if (!this.theirs) this.say("Your text is not saved. Press Save, or Close to decide.");
      return false;
    });
    if (this.name) {
      this.name.focus();
      this.name.select();
      this.name.addEventListener("keydown", (event) => { if (event.key === "Enter") this.code.focus(); });
    } else if (this.at?.line) this.code.goTo(this.at.line, this.at.column);
    else this.code.focus();
  }

  // What a check of the text found, each a way to its line.
  showProblems(problems) {
    this.checks.hidden = problems.length === 0;
    this.checks.replaceChildren(...problems.map(({ line, column, what, fix, level }) => element("li", { "data-level": level },
      element("button", { type: "button", class: "btn btn-link", onclick: () => this.code.goTo(line, column) }, `Line ${line}, column ${column}`), ` ${what} ${fix}`)));
  }

  isDirty() {
    return this.code.text() !== this.saved;
  }

  changed() {
    this.note.textContent = this.isDirty() ? "not saved" : "";
    if (!this.theirs) this.say("");
  }

  say(words, ...choices) {
    this.problem.replaceChildren(...(words ? [element("span", {}, words), ...choices.filter(Boolean)] : []));
  }

  async save() {
    const target = this.path ?? joinPath(this.folder, this.name.value.trim());
    const bad = this.path === null ? nameProblem(this.name.value) : "";
    if (bad) return this.say(bad);
    const typed = this.code.text();
    this.saveButton.disabled = true;
    this.note.textContent = "saving …";
    try {
      const { etag } = await writeText(target, this.crlf ? typed.replaceAll("\n", "\r\n") : typed, this.etag);
      Object.assign(this, { etag, saved: typed });
      if (this.path === null) return this.end({ made: baseName(target) });
      this.theirs = null;
      this.code.compare(null);
      this.say("");
      this.note.textContent = this.isDirty() ? "not saved" : "saved";
      this.onSaved({});
    } catch (error) {
      this.note.textContent = "not saved";
      if (error.code === "changed" && this.path !== null) await this.conflict().catch(showError);
      else this.say(error.message);
    } finally {
      this.saveButton.disabled = false;
    }
    return null;
  }

  // Somebody else was faster: nothing is thrown away until the person says which text is to stay.
  async conflict() {
    const { etag, text } = await fetchText(this.path).catch((error) => {
      if (error.code === "not_found") return { etag: null, text: { text: "", editable: true } };
      throw error;
    });
    this.theirs = { etag, text: plainLines(text?.text ?? "") };
    const gone = etag === null;
    this.say(gone ? "Somebody else deleted this file meanwhile." : "Somebody else changed this file since you opened it.",
      gone ? null : button("Load theirs", () => this.loadTheirs()),
      gone ? null : button("Compare", () => this.compare()),
      button(gone ? "Save it again" : "Overwrite theirs", () => this.overwrite(), { kind: "outline-danger" }));
  }

  compare() {
    this.code.compare(this.theirs.text);
    this.problem.firstChild.textContent = "Theirs is red, yours is green. Save when it is as it should be.";
    this.etag = this.theirs.etag;
    this.code.focus();
  }

  async loadTheirs() {
    const sure = await ask({ title: "Throw your changes away?", text: "The text of the other person replaces what you typed.", confirm: "Load theirs", danger: true });
    if (!sure) return;
    const { etag, text } = this.theirs;
    Object.assign(this, { etag, saved: text, theirs: null });
    this.code.compare(null);
    this.code.replace(text);
    this.say("");
  }

  async overwrite() {
    this.etag = this.theirs.etag;
    await this.save();
  }

  async close() {
    if (!this.isDirty()) return this.end();
    const answer = await ask({
      title: "Save your text?",
      text: "It is lost otherwise.",
      choices: [{ value: "save", label: "Save" }, { value: "back", label: "Go on writing", quiet: true }, { value: "lose", label: "Throw away", danger: true }],
    });
    if (answer?.choice === "lose") return this.end();
    if (answer?.choice !== "save") return null;
    await this.save();
    if (!this.isDirty() && this.path !== null) this.end();
    return null;
  }

  end({ made = "" } = {}) {
    if (!this.dialog.isConnected) return;
    removeEventListener("beforeunload", this.warn);
    this.code.close();
    this.dialog.close();
    this.dialog.remove();
    setGuard(null);
    if (made) {
      toast(`Saved '${made}'.`);
      this.onSaved({ made });
    }
    this.onClose();
  }
}

