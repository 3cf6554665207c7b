// A filter in the words of SQL's WHERE, with suggestions of fields, their values and operators.

import { element } from "./dom.js";

const AFTER_FIELD = { number: ["=", "<>", "<", "<=", ">", ">=", "BETWEEN", "IN (", "IS NULL"], text: ["=", "<>", "LIKE '%'", "IN (", "IS NULL"], boolean: ["= TRUE", "= FALSE"] };
const MOST = 8;
let made = 0;

const kindOf = ({ kind }) => (kind === "integer" ? "number" : kind);
const quoted = (value) => (typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value));

// What may stand at the caret: {from, words}; `from` is where the word that is typed begins.
export function suggest(text, caret, fields) {
  const before = text.slice(0, caret);
  const inText = (before.match(/'/g) ?? []).length % 2 === 1;
  const typed = inText ? before.slice(before.lastIndexOf("'")) : /[A-Za-z_][\w.]*$|$/.exec(before)[0];
  const from = caret - typed.length;
  const earlier = before.slice(0, from).trimEnd();
  const known = new Map(fields.map((field) => [field.name.toLowerCase(), field]));
  const compared = /([A-Za-z_][\w.]*)\s*(=|<>|!=|IN\s*\((?:[^)]*,)?)$/i.exec(earlier);
  const last = /([A-Za-z_][\w.]*)$/.exec(earlier)?.[1]?.toLowerCase();
  let words;
  if (compared && known.get(compared[1].toLowerCase())) {
    const field = known.get(compared[1].toLowerCase());
    words = kindOf(field) === "boolean" ? ["TRUE", "FALSE"] : (field.choices ?? []).map(quoted);
  } else if (inText) words = [];
  else if (last && known.has(last)) words = AFTER_FIELD[kindOf(known.get(last))] ?? AFTER_FIELD.text;
  else if (/(\d|'|\)|TRUE|FALSE|NULL)$/i.test(earlier) && !typed) words = ["AND", "OR"];
  else if (/(\d|'|\)|TRUE|FALSE|NULL)$/i.test(earlier)) words = ["AND", "OR"];
  else words = [...fields.filter(({ why }) => !why).map(({ name }) => name), "NOT"];
  const small = typed.toLowerCase();
  const fitting = words.filter((word) => word.toLowerCase().startsWith(small) && word.toLowerCase() !== small);
  const inside = words.filter((word) => small && !word.toLowerCase().startsWith(small) && word.toLowerCase().includes(small));
  return { from, words: [...fitting, ...inside].slice(0, MOST) };
}

// An input with a list of suggestions (WAI-ARIA combobox). `onUse(text)` when Enter is pressed or it is left changed.
export function whereInput({ value = "", fields, onUse, label = "Only instances where" }) {
  made += 1;
  const listId = `where-list-${made}`;
  const list = element("ul", { class: "tw-suggestions", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
  const input = element("input", { class: "form-control", type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", "aria-label": label, placeholder: "temperature_c > 90 AND region = 'NW'", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  input.value = value;
  let used = value;
  let chosen = -1;
  let found = { from: 0, words: [] };

  const close = () => {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  function show() {
    found = suggest(input.value, input.selectionStart, fields);
    chosen = -1;
    if (!found.words.length) return close();
    list.replaceChildren(...found.words.map((word, at) => element("li", { role: "option", id: `${listId}-${at}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(word); } }, word)));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
    return undefined;
  }
  function take(word) {
    const after = input.value.slice(input.selectionStart);
    const text = `${word}${word.endsWith("(") || after.startsWith(" ") ? "" : " "}`;
    input.value = input.value.slice(0, found.from) + text + after;
    const at = found.from + text.length - (word.endsWith("'%'") ? 3 : 0);
    input.setSelectionRange(at, at);
    show();
  }
  function mark(at) {
    chosen = (at + found.words.length) % found.words.length;
    [...list.children].forEach((line, index) => line.setAttribute("aria-selected", String(index === chosen)));
    input.setAttribute("aria-activedescendant", `${listId}-${chosen}`);
  }
  function use() {
    close();
    if (input.value.trim() === used.trim()) return;
    used = input.value;
    onUse(input.value.trim());
  }
  input.addEventListener("input", show);
  input.addEventListener("focus", () => { if (!input.value) show(); });
  input.addEventListener("blur", use);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) show();
      else mark(chosen + (event.key === "ArrowDown" ? 1 : chosen < 0 ? 0 : -1));
    } else if ((event.key === "Enter" || event.key === "Tab") && !list.hidden && chosen >= 0) {
      event.preventDefault();
      take(found.words[chosen]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      used = `${input.value} `;
      close();
      onUse(input.value.trim());
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      event.preventDefault();
      close();
    }
  });
  return { node: element("div", { class: "tw-where" }, input, list), input, set: (text) => { input.value = used = text; }, get: () => input.value.trim() };
}
