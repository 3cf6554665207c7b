// The output of a run in the page's memory: its bytes as they came, and where each line begins, how wide it is and
// in which colours it starts. A line becomes text only when it is shown, so two million of them cost their bytes.

import { PLAIN, keyOf, withCodes } from "./run-log-style.js";

export const LONGEST_LINE = 65_536; // bytes; what is longer is shown as several lines
const MOST_BYTES = 400_000_000;
const MOST_STYLES = 60_000;
const FURTHEST = 1000; // cells that a cursor movement may jump
const BLOCK = 4096;

const TEXT = 0;
const ESCAPE = 1;
const SEQUENCE = 2;
const SEQUENCE_END = 3;
const STRING = 4;

export class LogStore {
  constructor({ mostBytes = MOST_BYTES } = {}) {
    Object.assign(this, { mostBytes, chunks: [], size: 0, blocks: [], closed: 0, firstLine: 0, widest: 0 });
    Object.assign(this, { styles: [PLAIN], styleIds: new Map([[keyOf(PLAIN), 0]]), style: PLAIN });
    Object.assign(this, { state: TEXT, parameters: "", column: 0, cells: 0, missing: 0, expected: 0, lastReturn: 0 });
    this.openAt = 0;
    this.openStyle = 0;
  }

  // How many lines there are; the last may still grow.
  get lineCount() {
    return this.closed + (this.size > this.openAt ? 1 : 0);
  }

  get keptFrom() {
    return this.chunks.length ? this.chunks[0].at : this.size;
  }

  append(bytes) {
    if (!bytes.length) return;
    this.chunks.push({ at: this.size, bytes });
    this.scan(bytes, this.size);
    this.size += bytes.length;
    this.cells = Math.max(this.cells, this.column);
    this.widest = Math.max(this.widest, this.cells);
    if (this.size - this.keptFrom > this.mostBytes) this.trim();
  }

  scan(bytes, at) {
    const { length } = bytes;
    let limit = this.openAt + LONGEST_LINE - at;
    let { column } = this;
    for (let index = 0; index < length; index += 1) {
      const byte = bytes[index];
      if (this.state === TEXT && byte >= 0x20 && byte < 0x7f) column += 1;
      else if (byte === 10) {
        this.column = column;
        this.close(at + index + 1);
        column = 0;
        limit = this.openAt + LONGEST_LINE - at;
      } else {
        this.column = column;
        if (this.state === TEXT || !this.escape(byte)) this.unusual(byte, at + index);
        column = this.column;
      }
      if (index >= limit && this.state === TEXT && !(this.missing && this.expected === at + index + 1)) {
        this.column = column;
        this.cut(at + index + 1);
        column = this.column;
        limit = this.openAt + LONGEST_LINE - at;
      }
    }
    this.column = column;
  }

  unusual(byte, position) {
    if (byte >= 0x20 && byte < 0x7f) this.column += 1;
    else if (byte >= 0xc0) {
      this.missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      this.expected = position + 1;
      this.column += byte >= 0xf0 || (byte >= 0xe3 && byte <= 0xed) ? 2 : 1;
    } else if (byte >= 0x80) {
      if (this.missing && this.expected === position) {
        this.missing -= 1;
        this.expected += 1;
      } else this.column += 1;
    } else if (byte === 13) {
      this.cells = Math.max(this.cells, this.column);
      this.column = 0;
      this.lastReturn = position + 1;
    } else if (byte === 27) this.state = ESCAPE;
    else if (byte === 9) this.column += 8 - (this.column % 8);
    else if (byte === 8) {
      this.cells = Math.max(this.cells, this.column);
      this.column = Math.max(0, this.column - 1);
    } else this.column += 1;
  }

  // Take a byte of an order to the terminal; false when it is not part of it, but text again.
  escape(byte) {
    if (this.state === ESCAPE) {
      this.parameters = "";
      if (byte === 0x5b) this.state = SEQUENCE;
      else if (byte === 0x5d || byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f) this.state = STRING;
      else if (byte < 0x20 || byte > 0x2f) this.state = TEXT;
      return this.state !== TEXT || (byte >= 0x30 && byte <= 0x7e);
    }
    if (this.state === STRING) {
      if (byte === 7) this.state = TEXT;
      else if (byte === 27) this.state = ESCAPE;
      return true;
    }
    if (byte >= 0x20 && byte <= 0x2f) this.state = SEQUENCE_END;
    else if (byte >= 0x30 && byte <= 0x3f && this.state === SEQUENCE) {
      if (this.parameters.length < 64) this.parameters += String.fromCharCode(byte);
    } else {
      const plain = this.state === SEQUENCE;
      this.state = TEXT;
      if (byte < 0x40 || byte > 0x7e) return false;
      if (plain) this.obey(String.fromCharCode(byte));
    }
    return true;
  }

  obey(command) {
    if (command === "m") this.style = withCodes(this.style, this.parameters);
    else if ("CDG".includes(command)) {
      this.cells = Math.max(this.cells, this.column);
      this.column = moved(this.column, command, this.parameters);
    }
  }

  // A line ends before `next`; nothing of an unfinished escape reaches the next one.
  close(next) {
    const block = this.closed % BLOCK;
    if (block === 0) this.blocks.push({ starts: new Float64Array(BLOCK), cells: new Uint32Array(BLOCK), styles: new Uint16Array(BLOCK) });
    const { starts, cells, styles } = this.blocks.at(-1);
    starts[block] = this.openAt;
    cells[block] = Math.max(this.cells, this.column);
    styles[block] = this.openStyle;
    this.widest = Math.max(this.widest, cells[block]);
    this.closed += 1;
    this.begin(next);
    this.state = TEXT;
    this.missing = 0;
  }

  begin(at) {
    this.openAt = at;
    this.openStyle = this.idOf(this.style);
    this.column = 0;
    this.cells = 0;
    this.lastReturn = at;
  }

  // A line without end: what a progress bar wrote over is let go, anything else goes on in a line of its own.
  cut(next) {
    const { column } = this;
    if (this.lastReturn <= this.openAt) this.close(next);
    else {
      this.begin(this.lastReturn);
      this.column = column;
    }
  }

  idOf(style) {
    if (style === this.styles[this.openStyle]) return this.openStyle;
    const key = keyOf(style);
    if (!this.styleIds.has(key)) {
      if (this.styles.length >= MOST_STYLES) return 0;
      this.styleIds.set(key, this.styles.length);
      this.styles.push(style);
    }
    return this.styleIds.get(key);
  }

  // A tenth at once, so that it is rare: whoever counts rows must count them anew.
  trim() {
    let drop = 0;
    let kept = this.size - this.keptFrom;
    while (kept > this.mostBytes * 0.9 && drop < this.chunks.length - 1) {
      kept -= this.chunks[drop].bytes.length;
      drop += 1;
    }
    this.chunks.splice(0, drop);
    let low = this.firstLine;
    let high = this.closed;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.startOf(middle) < this.keptFrom) low = middle + 1;
      else high = middle;
    }
    for (let block = Math.floor(this.firstLine / BLOCK); block < Math.floor(low / BLOCK); block += 1) this.blocks[block] = null;
    this.firstLine = low;
    if (this.openAt < this.keptFrom) this.openAt = this.keptFrom;
  }

  // --- what there is of a line ---------------------------------------------------

  startOf(line) {
    return line < this.closed ? this.blocks[Math.floor(line / BLOCK)].starts[line % BLOCK] : line === this.closed ? this.openAt : this.size;
  }

  endOf(line) {
    return line + 1 < this.closed ? this.startOf(line + 1) : line < this.closed ? this.openAt : this.size;
  }

  // How many columns it takes at most.
  cellsOf(line) {
    return line < this.closed ? this.blocks[Math.floor(line / BLOCK)].cells[line % BLOCK] : this.cells;
  }

  styleOf(line) {
    return this.styles[line < this.closed ? this.blocks[Math.floor(line / BLOCK)].styles[line % BLOCK] : this.openStyle];
  }

  // Bytes between two positions in one piece.
  slice(from, to) {
    let index = this.chunkAt(from);
    const first = this.chunks[index];
    if (!first || to <= from) return new Uint8Array(0);
    if (to <= first.at + first.bytes.length) return first.bytes.subarray(from - first.at, to - first.at);
    const whole = new Uint8Array(to - from);
    for (; index < this.chunks.length && this.chunks[index].at < to; index += 1) {
      const { at, bytes } = this.chunks[index];
      const part = bytes.subarray(Math.max(0, from - at), Math.min(bytes.length, to - at));
      whole.set(part, Math.max(0, at - from));
    }
    return whole;
  }

  chunkAt(position) {
    let low = 0;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.chunks[middle].at <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  lineBytes(line) {
    const bytes = this.slice(this.startOf(line), this.endOf(line));
    let end = bytes.length;
    if (end && bytes[end - 1] === 10) end -= 1;
    if (end && bytes[end - 1] === 13) end -= 1;
    return bytes.subarray(0, end);
  }
}

// Where the cursor stands after "\x1b[5C" (right), "D" (left), "G" (column).
export function moved(column, command, parameters) {
  const by = Math.min(FURTHEST, Number.parseInt(parameters, 10) || 1);
  if (command === "G") return by - 1;
  return Math.max(0, Math.min(LONGEST_LINE, column + (command === "C" ? by : -by)));
}
