// Text with line numbers and colours (CodeMirror). It lives in a shadow root, because only there does it
// bring its styles as constructed style sheets, which the content security policy allows.

import { json } from "@codemirror/lang-json";
import { markdown } from "@codemirror/lang-markdown";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { unifiedMergeView } from "@codemirror/merge";
import { Compartment, EditorState } from "@codemirror/state";
import { keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { EditorView, basicSetup } from "codemirror";
import { element } from "./dom.js";
import { baseName, endingOf } from "./format.js";

const LANGUAGES = { py: python, md: markdown, json, geojson: json, ipynb: json, yaml, yml: yaml };

// Colours come from the page's variables, which reach into the shadow root and follow light and dark.
const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--tw-code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--tw-code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--tw-code-number)" },
  { tag: [tags.comment, tags.meta], color: "var(--tw-code-comment)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.function(tags.variableName), tags.className], color: "var(--tw-code-name)" },
  { tag: tags.heading, fontWeight: "bold", color: "var(--tw-code-name)" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strong, fontWeight: "bold" },
  { tag: [tags.link, tags.url], color: "var(--tw-accent)" },
]);
const THEME = EditorView.theme({
  "&": { backgroundColor: "var(--tw-code-page)", color: "var(--bs-body-color)", fontSize: "0.86rem", height: "100%" },
  "&.cm-focused": { outline: "2px solid rgba(var(--tw-accent-rgb), 0.6)" },
  ".cm-scroller": { fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--bs-body-color)" },
  ".cm-cursor": { borderLeftColor: "var(--bs-body-color)" },
  ".cm-gutters": { backgroundColor: "var(--tw-code-page)", color: "var(--bs-secondary-color)", borderRight: "1px solid var(--tw-line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "rgba(var(--tw-accent-rgb), 0.07)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "rgba(var(--tw-accent-rgb), 0.28) !important" },
  ".cm-panels": { backgroundColor: "var(--tw-surface)", color: "inherit" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--tw-page)", backgroundImage: "none", color: "inherit", borderColor: "var(--tw-line)" },
  ".cm-tooltip": { backgroundColor: "var(--tw-surface)", borderColor: "var(--tw-line)", color: "inherit" },
  ".cm-deletedChunk": { backgroundColor: "var(--tw-removed)" },
  "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "var(--tw-added)" },
});

// Show text; `label` is its name for screen readers. Gives what a caller needs of an editor.
export function openCode(parent, { text, name, label, editable, onChange = () => {}, onSave = () => {}, onProblems = () => {} }) {
  const host = element("div", { class: editable ? "tw-code tw-code-edit" : "tw-code" });
  const root = host.attachShadow({ mode: "open" });
  const box = element("div", {});
  box.style.height = "100%";
  root.append(box);
  parent.append(host);
  const differences = new Compartment();
  const language = new Compartment();
  const checks = new Compartment();
  const save = { key: "Mod-s", preventDefault: true, run: () => { onSave(); return true; } };
  const view = new EditorView({
    root,
    parent: box,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of(editable ? [save] : []),
        basicSetup,
        THEME,
        syntaxHighlighting(COLOURS),
        language.of(languageOf(name)),
        differences.of([]),
        checks.of([]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorState.readOnly.of(!editable),
        EditorView.editable.of(true),
        EditorView.updateListener.of((update) => update.docChanged && onChange()),
      ],
    }),
  });
  // A twin's descriptor is checked while it is written; what that needs is loaded for it alone.
  const check = async (file) => {
    const wanted = editable && baseName(file) === "twin.yaml";
    const found = wanted ? await import("./twin-check.js").then(({ descriptorCheck }) => descriptorCheck({ onProblems }), () => []) : [];
    if (!wanted) onProblems([]);
    if (host.isConnected) view.dispatch({ effects: checks.reconfigure(found) });
  };
  check(name);
  return {
    host,
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    replace: (fresh) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: fresh } }),
    speak: (newName) => {
      view.dispatch({ effects: language.reconfigure(languageOf(newName)) });
      check(newName);
    },
    // Lines and columns count from 1, in characters.
    goTo: (line, column = 1) => {
      const { from, text: content } = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
      view.dispatch({ selection: { anchor: from + [...content].slice(0, column - 1).join("").length }, scrollIntoView: true });
      view.focus();
    },
    // Show what differs from another text, in place; null ends it.
    compare: (other) => view.dispatch({ effects: differences.reconfigure(other === null ? [] : unifiedMergeView({ original: other, mergeControls: choice })) }),
    close: () => view.destroy(),
  };
}

function choice(type, action) {
  return element("button", { type: "button", name: type, onmousedown: action }, type === "accept" ? "Keep mine" : "Take theirs");
}

function languageOf(name) {
  return LANGUAGES[endingOf(name)]?.() ?? [];
}
