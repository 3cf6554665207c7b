// Small words for building pages without a framework. Text is always set as text, never as HTML.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

// Tells people, and screen readers, what happened; with an action such as Undo.
export function toast(message, { action, onAction, kind = "info", seconds = 8 } = {}) {
  const box = byId("toasts");
  if (kind === "error") box.querySelectorAll(".tw-toast-error").forEach((older) => older.remove());
  const note = element("div", { class: `tw-toast tw-toast-${kind}`, role: kind === "error" ? "alert" : "status" }, element("span", {}, message));
  const remove = () => note.remove();
  if (action) {
    note.append(element("button", { class: "btn btn-sm btn-outline-light", type: "button", onclick: () => { remove(); onAction(); } }, action));
  }
  note.append(element("button", { class: "btn-close btn-close-white", type: "button", "aria-label": "Dismiss", onclick: remove }));
  box.append(note);
  if (kind !== "error") setTimeout(remove, seconds * 1000);
}

export function showError(error) {
  if (error.name !== "AbortError") toast(error.message, { kind: "error" });
}

// Runs something that may be refused; the refusal is shown, and null given.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    showError(error);
    return null;
  }
}

// Loads a part of the page that is not always needed. After an update of the platform the old part is gone.
export async function lazy(load) {
  try {
    return await load();
  } catch (error) {
    if (error instanceof TypeError) throw new Error("This part of the page cannot be loaded: the network is gone, or Twinhub was updated. Reload the page.", { cause: error });
    throw error;
  }
}

export function button(label, onclick, { kind = "outline-secondary", small = true, ...attributes } = {}) {
  return element("button", { class: `btn btn-${kind}${small ? " btn-sm" : ""}`, type: "button", onclick, ...attributes }, label);
}

// Waits until typing has paused.
export function debounce(work, milliseconds) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

// Asks one question in a modal dialog; resolves to the form's data, or null when it was dismissed.
// With `submit`, the dialog stays open, and what was typed in it, until that has succeeded.
export function ask({ title, fields = [], confirm = "OK", danger = false, text = "", choices = null, validate = () => "", submit = async () => {} }) {
  return new Promise((resolve) => {
    const problem = element("div", { class: "text-danger small", role: "alert" });
    const inputs = fields.map(({ name, label, value = "", multiline = false, rows = 16, hint = "", checkbox = false, type = null, options = null }) => {
      const id = `ask-${name}`;
      if (checkbox) {
        const box = element("input", { id, name, type: "checkbox", class: "form-check-input me-2" });
        return [element("label", { class: "form-check-label d-block mt-2", for: id }, box, label), box];
      }
      const described = hint ? `${id}-hint` : null;
      if (options) {
        const select = element("select", { id, name, class: "form-select", "aria-describedby": described }, ...options.map(([key, words]) => element("option", { value: key, selected: key === value }, words)));
        return [element("label", { class: "form-label mt-2", for: id }, label), select, hint ? element("div", { class: "form-text", id: described }, hint) : null];
      }
      const input = element(multiline ? "textarea" : "input", { type, id, name, class: "form-control", rows: multiline ? rows : null, spellcheck: "false", autocomplete: "off", "aria-describedby": described });
      input.value = value;
      return [element("label", { class: "form-label mt-2", for: id }, label), input, hint ? element("div", { class: "form-text", id: described }, hint) : null];
    });
    const buttons = (choices ?? [{ value: "ok", label: confirm, danger }]).map(({ value, label, danger: red, quiet }) =>
      element("button", { class: `btn ${red ? "btn-danger" : quiet ? "btn-outline-secondary" : "btn-primary"}`, type: "submit", value }, label));
    const form = element("form", { method: "dialog" },
      element("h2", { class: "h5" }, title),
      text ? element("p", {}, text) : null,
      ...inputs.flatMap(([label, input, hint]) => (label.contains(input) ? [label] : [label, input, hint])).filter(Boolean), problem,
      element("div", { class: "d-flex gap-2 justify-content-end mt-3 flex-wrap" },
        choices ? null : element("button", { class: "btn btn-outline-secondary", type: "button", onclick: () => dialog.close("") }, "Cancel"), ...buttons));
    const dialog = element("dialog", { class: `tw-dialog${fields.some((field) => field.multiline) ? " tw-dialog-wide" : ""}`, "aria-label": title }, form);
    const typed = () => Object.fromEntries(new FormData(form));
    const before = JSON.stringify(typed());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem.textContent = validate(typed());
      if (problem.textContent) return;
      buttons.forEach((button) => { button.disabled = true; });
      try {
        await submit(typed(), event.submitter?.value);
        dialog.close(event.submitter?.value || "ok");
      } catch (error) {
        problem.textContent = error.message;
      } finally {
        buttons.forEach((button) => { button.disabled = false; });
      }
    });
    dialog.addEventListener("cancel", (event) => {
      // Escape must not cost a text; the button does.
      if (fields.some((field) => field.multiline) && JSON.stringify(typed()) !== before) {
        event.preventDefault();
        problem.textContent = "Your text is not saved. Press Save, or Cancel to throw it away.";
      }
    });
    dialog.addEventListener("close", () => {
      const data = typed();
      dialog.remove();
      resolve(dialog.returnValue ? { ...data, choice: dialog.returnValue } : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    const first = inputs[0]?.[1];
    if (first && first.type !== "checkbox") {
      first.focus();
      if (first.tagName === "INPUT" && first.type === "text") first.setSelectionRange(0, first.value.lastIndexOf(".") > 0 ? first.value.lastIndexOf(".") : first.value.length);
    }
  });
}
