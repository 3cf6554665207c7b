// A folder's entries, fetched in pages as the view comes to them; 100,000 entries are never all held up for.

export const PAGE = 500;

export class Listing {
  // fetchPage(offset, first) gives {entries, total, revision}; onChange is told of everything that is to be shown anew.
  constructor({ fetchPage, onChange, onError }) {
    Object.assign(this, { fetchPage, onChange, onError, total: 0, revision: null, loaded: false });
    this.pages = new Map();
    this.stale = new Set();
    this.asked = new Map();
    this.ended = false;
  }

  // The entry at a position, or undefined while its page is on its way.
  at(index) {
    const number = Math.floor(index / PAGE);
    if (!this.pages.has(number) || this.stale.has(number)) this.load(number).catch(() => {});
    return this.pages.get(number)?.[index % PAGE];
  }

  load(number) {
    if (this.asked.has(number)) return this.asked.get(number);
    const asked = this.fetchPage(number * PAGE, PAGE).then((content) => this.take(number, content)).catch((error) => {
      if (!this.ended) this.onError(error);
      throw error;
    }).finally(() => this.asked.delete(number));
    this.asked.set(number, asked);
    return asked;
  }

  take(number, { entries, total, revision }) {
    if (this.ended) return;
    const changed = this.revision !== null && (revision !== this.revision || total !== this.total);
    if (changed) for (const other of this.pages.keys()) this.stale.add(other);
    this.pages.set(number, entries);
    this.stale.delete(number);
    Object.assign(this, { total, revision, loaded: true });
    for (const other of this.pages.keys()) if (other * PAGE >= Math.max(total, 1)) this.pages.delete(other);
    this.onChange();
  }

  // Ask again for what is shown; the old stays visible until the new is here.
  async refresh() {
    for (const number of this.pages.keys()) this.stale.add(number);
    await Promise.allSettled([...this.asked.values()]);
    if (!this.ended) await this.load(0);
  }

  // Entries from one position to another, both included.
  async range(first, last) {
    const found = [];
    for (let index = first; index <= Math.min(last, this.total - 1); index += 1) {
      const number = Math.floor(index / PAGE);
      if (!this.pages.has(number)) await this.load(number);
      const entry = this.pages.get(number)?.[index % PAGE];
      if (entry) found.push(entry);
    }
    return found;
  }

  // Where a name is among what is loaded, or -1.
  find(name) {
    for (const [number, entries] of this.pages) {
      const index = entries.findIndex((entry) => entry.name === name);
      if (index >= 0) return number * PAGE + index;
    }
    return -1;
  }

  end() {
    this.ended = true;
  }
}
