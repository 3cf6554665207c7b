// What is selected: names, or all but some; "all" of a large folder needs no list of its names.

export class Selection {
  constructor() {
    this.clear();
  }

  clear() {
    this.entries = new Map();
    this.all = false;
    this.except = new Set();
    this.anchor = null;
  }

  has(name) {
    return this.all ? !this.except.has(name) : this.entries.has(name);
  }

  count(total) {
    return this.all ? total - this.except.size : this.entries.size;
  }

  set(entry, on) {
    if (this.all) on ? this.except.delete(entry.name) : this.except.add(entry.name);
    else on ? this.entries.set(entry.name, entry) : this.entries.delete(entry.name);
  }

  toggle(entry) {
    this.set(entry, !this.has(entry.name));
  }

  selectAll() {
    this.clear();
    this.all = true;
  }

  // The entries themselves; of "all", those of the whole listing.
  async resolve(listing) {
    if (!this.all) return [...this.entries.values()];
    return (await listing.range(0, listing.total - 1)).filter((entry) => !this.except.has(entry.name));
  }
}
