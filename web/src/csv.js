// Reading tables of numbers as text arrives, and thinning them for a plot. No page needed: a worker runs this.

// Calls onRow(cells) for each row; feed it text in pieces of any size, then end().
export class CsvReader {
  constructor(delimiter, onRow) {
    Object.assign(this, { delimiter, onRow, cells: [], cell: "", quoted: false, wasQuote: false, afterReturn: false });
  }

  feed(text) {
    let start = 0;
    for (let index = 0; index < text.length; index += 1) {
      const sign = text[index];
      if (this.quoted) {
        if (sign !== '"') continue;
        this.cell += text.slice(start, index);
        start = index + 1;
        this.quoted = false;
        this.wasQuote = true;
      } else if (sign === '"' && (this.wasQuote || (this.cell === "" && start === index))) {
        // Two quotes inside a quoted cell are one.
        this.quoted = true;
        start = this.wasQuote ? index : index + 1;
        this.wasQuote = false;
      } else if (sign === this.delimiter || sign === "\n" || sign === "\r") {
        if (!(sign === "\n" && this.afterReturn)) {
          this.cells.push(this.cell + text.slice(start, index));
          this.cell = "";
          if (sign !== this.delimiter) this.row();
        }
        this.wasQuote = false;
        start = index + 1;
      } else this.wasQuote = false;
      this.afterReturn = sign === "\r";
    }
    this.cell += text.slice(start);
  }

  row() {
    const { cells } = this;
    this.cells = [];
    if (cells.length > 1 || cells[0] !== "") this.onRow(cells);
  }

  end() {
    if (this.cell === "" && !this.cells.length) return;
    this.cells.push(this.cell);
    this.cell = "";
    this.row();
  }
}

// A cell as a number; a time as its seconds since 1970; NaN for anything else.
export function numberOf(cell) {
  const text = cell.trim();
  if (text === "") return NaN;
  const number = Number(text);
  if (!Number.isNaN(number)) return number;
  if (/^[-+]?\d+,\d+$/.test(text)) return Number(text.replace(",", "."));
  return /^\d{4}-\d\d/.test(text) ? Date.parse(text.replace(/^(\S+) (?=\d)/, "$1T")) / 1000 : NaN;
}

// Numbers in growing memory, without one JavaScript object for each.
export class Numbers {
  constructor() {
    this.values = new Float64Array(1024);
    this.length = 0;
  }

  push(value) {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length] = value;
    this.length += 1;
  }
}

// Which rows to draw so that every peak of every line is seen: the least and the greatest of each part.
export function decimate(lines, first, last, most) {
  const count = last - first;
  const parts = Math.max(1, Math.floor(most / (2 * Math.max(1, lines.length))));
  if (count <= parts * 2) return Uint32Array.from({ length: Math.max(0, count) }, (_, index) => first + index);
  const kept = new Set([first, last - 1]);
  for (let part = 0; part < parts; part += 1) {
    const from = first + Math.floor((part * count) / parts);
    const to = first + Math.floor(((part + 1) * count) / parts);
    for (const values of lines) {
      let low = -1;
      let high = -1;
      for (let row = from; row < to; row += 1) {
        const value = values[row];
        if (Number.isNaN(value)) continue;
        if (low < 0 || value < values[low]) low = row;
        if (high < 0 || value > values[high]) high = row;
      }
      if (low >= 0) kept.add(low).add(high);
    }
  }
  return Uint32Array.from(kept).sort();
}

// The rows whose x lies between two values; x must not fall.
export function between(x, length, low, high) {
  return [search(x, length, low), Math.min(length, search(x, length, high) + 1)];
}

function search(x, length, value) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function isRising(x, length) {
  for (let row = 1; row < length; row += 1) if (!(x[row] >= x[row - 1])) return false;
  return true;
}
