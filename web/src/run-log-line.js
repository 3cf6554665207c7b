// One line of output as text and the colours of its parts. What a terminal would do within the line is done
// (carriage return, backspace, erasing, moving the cursor); every other order is dropped. What cannot be seen, or
// would turn the order of letters around, becomes a visible sign.

import { moved } from "./run-log-store.js";
import { withCodes } from "./run-log-style.js";

const decoder = new TextDecoder();
// eslint-disable-next-line no-control-regex
const UNUSUAL = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
// eslint-disable-next-line no-control-regex
const ORDER = /\x1b(?:\[([0-?]*)([ -/]*)([@-~]?)|[\]PX^_][^\x07\x1b]*\x07?|[ -/]*[0-~]?)/y;
// eslint-disable-next-line no-control-regex
export const ORDERS = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b\n]*\x07?|[ -/]*[0-~]?)/g;
const WIDE = /[\u3000-\udfff]/;

export const decode = (bytes) => decoder.decode(bytes);

// Gives {text, spans}; a span is {from, to, style} and spans cover the text in order.
export function parseLine(bytes, style) {
  const text = decoder.decode(bytes);
  return UNUSUAL.test(text) ? new Terminal(style).write(text) : { text, spans: text ? [{ from: 0, to: text.length, style }] : [] };
}

class Terminal {
  constructor(style) {
    Object.assign(this, { style, column: 0, letters: [], styles: [] });
  }

  write(text) {
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at);
      if (code === 27) at = this.obey(text, at);
      else {
        this.put(code);
        at += code > 0xffff ? 2 : 1;
      }
    }
    return this.result();
  }

  put(code) {
    if (code === 13) this.column = 0;
    else if (code === 8) this.column = Math.max(0, this.column - 1);
    else if (code === 9) {
      for (let count = 8 - (this.column % 8); count > 0; count -= 1) this.letter(" ");
    } else {
      this.letter(visible(code), cellsOf(code));
    }
  }

  // A wide letter is followed by an empty cell; half of one that is written over is a space.
  letter(shown, cells = 1) {
    while (this.letters.length < this.column) this.letters.push(" ");
    if (this.letters[this.column] === "") this.letters[this.column - 1] = " ";
    if (this.letters[this.column + cells] === "") this.letters[this.column + cells] = " ";
    for (let cell = 0; cell < cells; cell += 1) {
      this.letters[this.column] = cell ? "" : shown;
      this.styles[this.column] = this.style;
      this.column += 1;
    }
  }

  obey(text, at) {
    ORDER.lastIndex = at;
    const found = ORDER.exec(text);
    const [whole, parameters, between, command] = found;
    if (between || !command) return at + whole.length;
    if (command === "m") this.style = withCodes(this.style, parameters);
    else if (command === "K") this.erase(parameters);
    else if ("CDG".includes(command)) this.column = moved(this.column, command, parameters);
    return at + whole.length;
  }

  erase(parameters) {
    if (parameters === "" || parameters === "0") {
      if (this.letters[this.column] === "") this.letters[this.column - 1] = " ";
      this.letters.length = Math.min(this.letters.length, this.column);
    } else if (parameters === "2") this.letters.length = 0;
    else if (parameters === "1") this.letters.fill(" ", 0, this.column + 1);
  }

  result() {
    const spans = [];
    let text = "";
    for (let cell = 0; cell < this.letters.length; cell += 1) {
      const style = this.styles[cell] ?? this.style;
      const letter = this.letters[cell] ?? " ";
      const last = spans.at(-1);
      if (last && last.style === style) last.to += letter.length;
      else spans.push({ from: text.length, to: text.length + letter.length, style });
      text += letter;
    }
    return { text, spans };
  }
}

function visible(code) {
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return code < 0xa0 && code >= 0x80 ? "\ufffd" : UNUSUAL.test(String.fromCodePoint(code)) ? "\ufffd" : String.fromCodePoint(code);
}

// Columns that a letter takes; the index of lines counts the same from the first byte of it.
export function cellsOf(code) {
  return code >= 0x10000 || (code >= 0x3000 && code < 0xe000) ? 2 : 1;
}

// Where each row of a text begins when a row has so many columns.
export function rowStarts(text, columns) {
  if (!Number.isFinite(columns)) return [0];
  const starts = [0];
  if (!WIDE.test(text)) {
    for (let at = columns; at < text.length; at += columns) starts.push(at);
    return starts;
  }
  let filled = 0;
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at);
    const cells = cellsOf(code);
    if (filled + cells > columns && filled > 0) {
      starts.push(at);
      filled = 0;
    }
    filled += cells;
    at += code > 0xffff ? 2 : 1;
  }
  return starts;
}

// The percentage that a line tells, or null: " 37.5 %", "37%".
export function progressOf(text) {
  const all = [...text.slice(-2000).matchAll(/(?:^|[^\d.,\w-])(\d{1,3}(?:[.,]\d+)?)\s?%/g)];
  const value = all.length ? Number(all.at(-1)[1].replace(",", ".")) : NaN;
  return value <= 100 ? value : null;
}
