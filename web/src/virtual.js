// A list of any length of which only the visible lines are in the page. The window scrolls, not a box in it.

const TALLEST_PX = 12_000_000; // browsers lose precision, or stop, somewhat above

// Which items are to be drawn, and where the first of them stands, for a scroll position inside the list.
export function visibleRange({ top, viewHeight, total, columns, lineHeight, overscan = 8 }) {
  const lines = Math.ceil(total / columns);
  const full = lines * lineHeight;
  const height = Math.min(full, TALLEST_PX);
  const scale = full > height ? (full - viewHeight) / (height - viewHeight) : 1;
  const seen = Math.max(0, Math.min(top * scale, full - viewHeight));
  const firstLine = Math.max(0, Math.floor(seen / lineHeight) - overscan);
  const lastLine = Math.min(lines, Math.ceil((seen + viewHeight) / lineHeight) + overscan);
  const shift = scale === 1 ? 0 : Math.max(0, top) - seen;
  return { first: firstLine * columns, last: Math.min(total, lastLine * columns), height, shift, scale };
}

export class VirtualList {
  // draw(index, old) gives the element of an item; it may give `old` back when nothing changed.
  constructor(box, { draw, lineHeight, columns = () => 1, above = () => 0 }) {
    Object.assign(this, { box, draw, lineHeight, columns, above, total: 0, drawn: new Map(), pending: 0 });
    addEventListener("scroll", () => this.plan(), { passive: true });
    new ResizeObserver(() => this.plan()).observe(box.parentElement);
    addEventListener("resize", () => this.plan());
  }

  setTotal(total) {
    this.total = total;
    if (total) this.render();
    else this.clear();
  }

  plan() {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.render());
  }

  measure() {
    const columns = this.columns(this.box.clientWidth || 1);
    const lineHeight = this.lineHeight();
    const top = -this.box.getBoundingClientRect().top;
    return { columns, lineHeight, top, ...visibleRange({ top, viewHeight: innerHeight, total: this.total, columns, lineHeight }) };
  }

  render() {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    if (!this.box.isConnected || this.box.offsetParent === null) return;
    const { columns, lineHeight, first, last, height, shift } = this.measure();
    this.box.style.height = `${height}px`;
    const now = new Map();
    let before = null;
    for (let index = first; index < last; index += 1) {
      const old = this.drawn.get(index);
      const made = this.draw(index, old);
      if (old && made !== old) old.replaceWith(made);
      else if (!old) this.box.insertBefore(made, before ? before.nextSibling : this.box.firstChild);
      before = made;
      made.style.transform = `translateY(${Math.floor(index / columns) * lineHeight + shift}px)`;
      made.style.height = `${lineHeight}px`;
      made.style.left = `${((index % columns) * 100) / columns}%`;
      made.style.width = `${100 / columns}%`;
      now.set(index, made);
    }
    for (const [index, element] of this.drawn) if (!now.has(index)) element.remove();
    this.drawn = now;
  }

  clear() {
    for (const element of this.drawn.values()) element.remove();
    this.drawn = new Map();
  }

  perView() {
    return Math.max(1, Math.floor((innerHeight - this.above()) / this.lineHeight()) - 1) * this.columns(this.box.clientWidth || 1);
  }

  // Scroll as little as is needed for an item to be seen whole.
  reveal(index) {
    const { columns, lineHeight, scale, shift } = this.measure();
    const place = Math.floor(index / columns) * lineHeight + shift + this.box.getBoundingClientRect().top;
    const space = this.above();
    if (place < space) scrollBy(0, (place - space) / scale);
    else if (place + lineHeight > innerHeight - 8) scrollBy(0, (place + lineHeight - innerHeight + 8) / scale);
    this.render();
  }
}
