// twin.yaml while it is written: problems at their line, from the workspace; keys and values offered from the schema.

import { completeFromList } from "@codemirror/autocomplete";
import { lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { requestJson } from "./api.js";
import { offersAt } from "./twin-complete.js";

const ADDRESS = "/app/api/twins/";
const PAUSE_MS = 350;
let schema = null;

const LOOK = EditorView.theme({
  ".cm-gutter-lint .cm-gutterElement": { padding: "0 2px" },
  ".cm-diagnostic": { fontFamily: "system-ui, sans-serif", padding: "0.3rem 0.6rem", whiteSpace: "pre-wrap" },
  ".cm-tooltip.cm-tooltip-lint": { maxWidth: "32rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "rgba(var(--tw-accent-rgb), 0.25)", color: "inherit" },
  ".cm-completionIcon": { display: "none" },
  ".cm-completionInfo": { fontFamily: "system-ui, sans-serif", maxWidth: "22rem" },
});

// Where a problem stands in the text: from its column to the end of the word there.
function placeOf(doc, { line, column }) {
  const { from, text } = doc.line(Math.max(1, Math.min(line, doc.lines)));
  const start = Math.min([...text].slice(0, column - 1).join("").length, text.length);
  const [word] = /^[^\s,:[\]{}#]+|^./.exec(text.slice(start)) ?? [""];
  return { from: from + start, to: from + start + word.length };
}

async function check(view, onProblems) {
  try {
    const { problems } = await requestJson("POST", `${ADDRESS}check`, { json: { text: view.state.doc.toString() } });
    onProblems(problems);
    return problems.map((problem) => ({ ...placeOf(view.state.doc, problem), severity: problem.level === "error" ? "error" : "warning", message: [problem.what, problem.fix].filter(Boolean).join("\n") }));
  } catch {
    // A workspace that is stopped checks nothing; what it would say is said when the twin is explored.
    onProblems([]);
    return [];
  }
}

async function complete(context) {
  schema ??= await requestJson("GET", `${ADDRESS}schema`).catch(() => null);
  if (!schema) return null;
  const offers = offersAt(context.state.doc.toString(), context.pos, schema);
  if (!offers.length) return null;
  const word = context.matchBefore(/[\w.-]*/);
  if (!context.explicit && word.from === word.to) return null;
  return completeFromList(offers)(context);
}

export function descriptorCheck({ onProblems = () => {} } = {}) {
  return [
    linter((view) => check(view, onProblems), { delay: PAUSE_MS }),
    lintGutter(),
    keymap.of(lintKeymap),
    EditorState.languageData.of(() => [{ autocomplete: complete }]),
    LOOK,
  ];
}
