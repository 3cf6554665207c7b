// Which line stands in which row when long lines are broken: rows are counted once per line, and summed by blocks.
// A line that the store has dropped is one row, which nobody sees; after a drop `breakAt` counts anew.

const BLOCK = 1024;

export class RowMap {
  constructor(store, columns = Infinity) {
    this.store = store;
    this.breakAt(columns);
  }

  breakAt(columns) {
    this.columns = columns;
    this.before = [0]; // rows before each block
    this.counted = 0;
    this.sum = 0;
  }

  rowsOf(line) {
    return this.columns === Infinity || line < this.store.firstLine ? 1 : Math.max(1, Math.ceil(this.store.cellsOf(line) / this.columns));
  }

  // Take in the lines that were finished since.
  update() {
    if (this.columns === Infinity) return;
    const { closed } = this.store;
    for (; this.counted < closed; this.counted += 1) {
      if (this.counted % BLOCK === 0) this.before[this.counted / BLOCK] = this.sum;
      this.sum += this.rowsOf(this.counted);
    }
    if (closed % BLOCK === 0) this.before[closed / BLOCK] = this.sum;
  }

  get first() {
    return this.rowAt(this.store.firstLine);
  }

  get end() {
    const { closed, lineCount } = this.store;
    return this.columns === Infinity ? lineCount : this.sum + (lineCount > closed ? this.rowsOf(closed) : 0);
  }

  // The first row of a line.
  rowAt(line) {
    if (this.columns === Infinity) return line;
    if (line >= this.counted) return this.sum;
    const block = Math.floor(line / BLOCK);
    let row = this.before[block];
    for (let at = block * BLOCK; at < line; at += 1) row += this.rowsOf(at);
    return row;
  }

  // The line that a row belongs to, and which of its rows it is.
  lineAt(row) {
    if (this.columns === Infinity) return { line: row, part: 0 };
    if (row >= this.sum) return { line: this.counted, part: row - this.sum };
    let low = 0;
    let high = Math.floor((this.counted - 1) / BLOCK);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.before[middle] <= row) low = middle;
      else high = middle - 1;
    }
    let line = low * BLOCK;
    let left = row - this.before[low];
    for (;;) {
      const rows = this.rowsOf(line);
      if (left < rows) return { line, part: left };
      left -= rows;
      line += 1;
    }
  }
}
