// Code in colours, as elements: no editor is needed where nothing is edited.

import { pythonLanguage } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { element } from "./dom.js";

const LONGEST = 200_000;

export function colourCode(text, language) {
  const box = document.createDocumentFragment();
  if (!/^(i?python|python3)$/i.test(language) || text.length > LONGEST) {
    box.append(text);
    return box;
  }
  const put = (code, classes) => box.append(classes ? element("span", { class: classes }, code) : code);
  highlightCode(text, pythonLanguage.parser.parse(text), classHighlighter, put, () => box.append("\n"));
  return box;
}
