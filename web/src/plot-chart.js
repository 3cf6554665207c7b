// The drawing of a plot (uPlot): lines that can be told apart without colours, and ways to go closer with mouse,
// fingers and keys.

import uPlot from "uplot";

// After Okabe and Ito, each at least 3 to 1 against its page; dashes tell them apart where colours do not.
const COLOURS = ["#0062a8", "#c44e00", "#00785a", "#a83279", "#7a5c00", "#4f5b66", "#5a3fc0", "#0b7a88"];
const COLOURS_DARK = ["#56b4e9", "#f0a030", "#2fcf9f", "#f0a3cc", "#f0e442", "#c3ccd6", "#b9a6ff", "#6fd8e4"];
const DASHES = [[], [9, 4], [3, 3], [12, 3, 3, 3], [6, 2], [2, 5], [14, 5], [5, 2, 2, 2, 2, 2]];
const MARKERS = ["solid", "dashed", "dotted", "double"];
const HEIGHT = 320;
const HEIGHT_SMALL = 240;
// Steps in seconds, how a mark looks, and what is added where a day begins; 24 hours, and UTC as the table has it.
const TIMES = [[86400 * 365, "{YYYY}"], [86400 * 28, "{YYYY}-{MM}"], [86400, "{MM}-{DD}", "\n{YYYY}"], [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}"], [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}"], [0.001, "{HH}:{mm}:{ss}.{fff}", "\n{YYYY}-{MM}-{DD}"]]
  .map(([step, look, first = null]) => [step, look, first && look + first, null, step < 86400 ? look + first : null, null, null, null, 0]);

export class PlotChart {
  constructor(area, { title, onWindow, onReset, bounds }) {
    Object.assign(this, { area, title, onWindow, onReset, bounds, fingers: new Map(), shown: null, plot: null });
    this.area.tabIndex = 0;
    this.area.setAttribute("role", "application");
    this.area.setAttribute("aria-roledescription", "plot");
    this.area.setAttribute("aria-label", `${title}. Left and right move, plus and minus zoom, 0 shows all. The values are in the table below.`);
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) this.area.addEventListener(name, (event) => this.pointer(event));
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(area);
    this.themes = new MutationObserver(() => this.shown && this.draw(this.shown));
    this.themes.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  get busy() {
    return this.fingers.size > 0 || Boolean(this.plot?.cursor.drag._x && this.plot.select.width);
  }

  get dark() {
    return document.documentElement.dataset.bsTheme === "dark";
  }

  colours() {
    return this.dark ? COLOURS_DARK : COLOURS;
  }

  size() {
    return { width: Math.max(220, this.area.clientWidth), height: this.area.clientWidth < 480 ? HEIGHT_SMALL : HEIGHT };
  }

  draw(shown) {
    const { x, lines, log, window: seen } = shown;
    const data = [x, ...lines.map(({ values }) => (log ? values.map((value) => (value > 0 ? value : null)) : values))];
    const kind = JSON.stringify([lines.map(({ name }) => name), shown.along, shown.time, log, this.dark]);
    this.shown = shown;
    if (this.plot && kind === this.kind) {
      this.plot.setData(data, false);
      this.scales(seen);
      return;
    }
    this.kind = kind;
    this.plot?.destroy();
    this.area.replaceChildren();
    this.plot = new uPlot(this.options(shown), data, this.area);
    this.scales(seen);
  }

  options({ lines, along, time, log, filled = false }) {
    const style = getComputedStyle(this.area);
    const line = style.getPropertyValue("--tw-line");
    const axis = { stroke: style.color, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: `12px ${style.fontFamily}` };
    return {
      ...this.size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { markers: { width: 2, dash: (_, at) => MARKERS[(at - 1) % MARKERS.length] } },
      scales: { x: { time }, y: { distr: log ? 3 : 1 } },
      series: [time ? { label: `${along} (UTC)`, value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" } : { label: along, value: (_, value) => brief(value) }, ...lines.map(({ name }, at) => ({ label: name, stroke: this.colours()[at % COLOURS.length], dash: DASHES[at % DASHES.length], width: 1.6, fill: filled ? `${this.colours()[at % COLOURS.length]}2b` : undefined, points: { size: 4 }, value: (_, value) => brief(value) }))],
      axes: [{ ...axis, space: time ? 95 : 50, values: time ? TIMES : (_, marks) => marks.map(brief) }, { ...axis, size: 68, values: (_, marks) => marks.map((mark) => (mark === null ? "" : brief(mark))) }],
      cursor: { drag: { setScale: false, x: true, y: false }, bind: { dblclick: () => () => this.onReset(), mousedown: (_, target, handler) => (event) => (event.shiftKey || event.button === 1 ? null : handler(event)) } },
      hooks: { setSelect: [(plot) => this.selected(plot)] },
    };
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width <= 4) return;
    this.onWindow(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  scales(seen) {
    const [from, to] = seen ?? this.bounds();
    this.plot.batch(() => {
      this.plot.setScale("x", to > from ? { min: from, max: to } : { min: from - 1, max: from + 1 });
    });
  }

  // What is there already of another window, at once; the exact points follow.
  show(from, to) {
    if (this.shown) this.shown = { ...this.shown, window: [from, to] };
    this.plot?.setScale("x", { min: from, max: to });
  }

  clear() {
    this.plot?.destroy();
    this.plot = null;
    this.shown = null;
    this.area.replaceChildren();
  }

  resize() {
    if (this.plot && this.area.clientWidth) this.plot.setSize(this.size());
  }

  // --- moving ----------------------------------------------------------------------

  get seen() {
    return [this.plot.scales.x.min, this.plot.scales.x.max];
  }

  zoom(factor, around = null) {
    if (!this.plot) return;
    const [from, to] = this.seen;
    const centre = around ?? (from + to) / 2;
    const [first, last] = this.bounds();
    const low = Math.max(first, centre - (centre - from) * factor);
    const high = Math.min(last, centre + (to - centre) * factor);
    // Beyond what numbers can tell apart there is nothing to see.
    if (!(high - low > Math.max(Math.abs(high), Math.abs(low)) * 1e-13)) return;
    if (low <= first && high >= last) this.onReset();
    else this.onWindow(low, high);
  }

  pan(part) {
    if (this.plot) this.move((this.seen[1] - this.seen[0]) * part);
  }

  move(by) {
    const [from, to] = this.seen;
    const [first, last] = this.bounds();
    const step = Math.max(first - from, Math.min(last - to, by));
    if (step) this.onWindow(from + step, to + step);
  }

  key(event) {
    const work = { ArrowLeft: () => this.pan(-0.1), ArrowRight: () => this.pan(0.1), "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.onReset(), Home: () => this.move(-Infinity), End: () => this.move(Infinity) }[event.key];
    if (!work || event.ctrlKey || event.metaKey || event.altKey || !this.plot) return;
    event.preventDefault();
    work();
  }

  wheel(event) {
    if (!this.plot || !(event.ctrlKey || event.metaKey)) return; // the page scrolls
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.valueAt(event.clientX));
  }

  valueAt(clientX) {
    return this.plot.posToVal(clientX - this.plot.over.getBoundingClientRect().left, "x");
  }

  // One finger, or the mouse with Shift, moves; two fingers zoom.
  pointer(event) {
    const moves = event.pointerType === "touch" || event.pointerType === "pen" || event.shiftKey || event.button === 1 || this.fingers.has(event.pointerId);
    if (!this.plot || !moves) return;
    if (event.type === "pointerdown") {
      if (!this.plot.over.contains(event.target)) return;
      this.fingers.set(event.pointerId, { at: event.clientX, value: this.valueAt(event.clientX) });
      if (event.pointerType === "mouse") event.preventDefault();
    } else if (event.type === "pointermove" && this.fingers.has(event.pointerId)) {
      this.fingers.get(event.pointerId).at = event.clientX;
      this.dragged();
    } else this.fingers.delete(event.pointerId);
  }

  dragged() {
    const [one, two] = this.fingers.values();
    if (!two) {
      this.move(one.value - this.valueAt(one.at));
      return;
    }
    const left = this.plot.over.getBoundingClientRect().left;
    const width = this.plot.over.clientWidth;
    const perPixel = (two.value - one.value) / (two.at - one.at);
    const [first, last] = this.bounds();
    const from = Math.max(first, one.value - (one.at - left) * perPixel);
    const to = Math.min(last, from + width * perPixel);
    if (perPixel > 0 && to > from) this.onWindow(from, to);
  }

  close() {
    this.watch.disconnect();
    this.themes.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }
}

// A number as short as it can be told; minus is a minus.
export function brief(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(4).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(7)));
}
