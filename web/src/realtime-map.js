// A map of many points: two canvases, land below and points above; mouse, fingers and keys move it.

import { button, element } from "./dom.js";
import { arrange, fit, nearest, packed, radiusFor, stamp, zoomed } from "./realtime-map-core.js";
import { baseFor, drawBase } from "./realtime-map-base.js";
import { figure } from "./realtime-words.js";

const REACH = 10;
const SHARPEST = 2;
const KEY_STEP = 60;

export class PointMap {
  constructor({ label, onChoose }) {
    Object.assign(this, { onChoose, points: arrange({ ids: [], x: [], y: [], values: [] }), view: null, moved: false, fingers: new Map(), pending: 0, frames: [] });
    this.base = element("canvas", { "aria-hidden": "true" });
    this.top = element("canvas", { "aria-hidden": "true" });
    this.tip = element("div", { class: "tw-map-tip", hidden: true });
    this.stage = element("div", { class: "tw-map-stage", tabindex: "0", role: "application", "aria-roledescription": "map", "aria-label": `${label}. Arrows move, plus and minus zoom, 0 shows all, Enter opens the point in the middle.` }, this.base, this.top, this.tip);
    this.legend = element("ul", { class: "tw-legend", "aria-label": "Colours" });
    this.node = element("div", { class: "tw-map" }, this.stage,
      element("div", { class: "tw-map-buttons" }, button("+", () => this.zoom(2), { "aria-label": "Closer" }), button("−", () => this.zoom(0.5), { "aria-label": "Farther" }), button("All", () => this.showAll())), this.legend);
    this.listen();
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.stage);
    this.themes = new MutationObserver(() => this.plan());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  listen() {
    const on = (name, work, options) => this.stage.addEventListener(name, work, options);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.up(event));
    on("pointerleave", () => { this.tip.hidden = true; });
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("keydown", (event) => this.key(event));
    on("dblclick", (event) => this.zoom(2, ...this.placeOf(event)));
  }

  // Columns of equal length: ids, longitudes, latitudes and what gives the colour.
  show(columns) {
    this.points = arrange(columns);
    this.palette = Uint32Array.from(this.points.entries, ({ colour }) => packed(colour));
    this.drawLegend();
    if (!this.moved || !this.view) this.showAll();
    else this.plan();
  }

  drawLegend() {
    const { entries, counts } = this.points;
    const words = JSON.stringify(entries.map(({ label }) => label));
    if (this.legend.dataset.words !== words) {
      this.legend.dataset.words = words;
      this.legend.replaceChildren(...entries.map(({ label, colour }) => {
        const mark = element("span", { class: "tw-legend-mark", "aria-hidden": "true" });
        mark.style.background = colour;
        return element("li", {}, mark, element("span", {}, label), element("span", { class: "tw-quiet" }));
      }));
    }
    [...this.legend.children].forEach((line, at) => { line.lastChild.textContent = counts[at].toLocaleString("en-GB"); });
  }

  resize() {
    const sharp = Math.min(SHARPEST, devicePixelRatio || 1);
    const width = Math.round(this.stage.clientWidth * sharp);
    const height = Math.round(this.stage.clientHeight * sharp);
    if (!width || !height || (width === this.width && height === this.height)) return;
    const grown = this.width ? width / this.width : 1;
    Object.assign(this, { sharp, width, height });
    for (const canvas of [this.base, this.top]) Object.assign(canvas, { width, height });
    this.picture = new ImageData(width, height);
    this.pixels = new Uint32Array(this.picture.data.buffer);
    if (this.moved && this.view) this.view = { scale: this.view.scale * grown, x: this.view.x * grown, y: this.view.y * grown };
    else this.view = fit(this.points, width, height);
    this.draw();
  }

  showAll() {
    this.moved = false;
    if (!this.width) return;
    this.view = fit(this.points, this.width, this.height);
    this.plan();
  }

  plan() {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    if (!this.width || !this.view) return;
    const began = performance.now();
    const style = getComputedStyle(this.stage);
    drawBase(this.base.getContext("2d"), baseFor(this.view.scale, () => this.plan()), this.view, this, { land: style.getPropertyValue("--tw-land"), border: style.getPropertyValue("--tw-border-line") });
    stamp(this.pixels, this, this.points, this.view, radiusFor(this.points.x.length) * this.sharp, this.palette ?? []);
    this.top.getContext("2d").putImageData(this.picture, 0, 0);
    this.frames = [...this.frames.slice(-59), performance.now() - began];
    // For whoever measures: the mean of the last frames, in milliseconds.
    this.stage.dataset.frameMs = (this.frames.reduce((sum, one) => sum + one, 0) / this.frames.length).toFixed(2);
  }

  // --- moving ------------------------------------------------------------------------

  placeOf(event) {
    const box = this.stage.getBoundingClientRect();
    return [(event.clientX - box.left) * this.sharp, (event.clientY - box.top) * this.sharp];
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    if (!this.view) return;
    this.moved = true;
    this.view = zoomed(this.view, factor, x, y);
    this.plan();
  }

  pan(dx, dy) {
    if (!this.view) return;
    this.moved = true;
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.plan();
  }

  down(event) {
    if (event.button > 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { at: this.placeOf(event), began: this.placeOf(event) });
  }

  move(event) {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return this.hover(event);
    const [x, y] = this.placeOf(event);
    const [oldX, oldY] = finger.at;
    const other = [...this.fingers.values()].find((one) => one !== finger);
    finger.at = [x, y];
    if (!other) return this.pan(x - oldX, y - oldY);
    const far = (one) => Math.hypot(one[0] - other.at[0], one[1] - other.at[1]) || 1;
    this.zoom(far([x, y]) / far([oldX, oldY]), (x + other.at[0]) / 2, (y + other.at[1]) / 2);
    return this.pan((x - oldX) / 2, (y - oldY) / 2);
  }

  up(event) {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (!finger || event.type === "pointercancel") return;
    const still = Math.hypot(finger.at[0] - finger.began[0], finger.at[1] - finger.began[1]) < 4 * this.sharp;
    const found = still ? this.find(finger.at) : -1;
    if (found >= 0) this.onChoose(this.points.ids[found]);
  }

  find([x, y], reach = REACH) {
    return this.view ? nearest(this.points, this.view, x, y, reach * this.sharp) : -1;
  }

  hover(event) {
    const found = this.find(this.placeOf(event));
    this.stage.classList.toggle("tw-over-point", found >= 0);
    this.tell(found);
  }

  tell(found) {
    this.tip.hidden = found < 0;
    if (found < 0) return;
    this.tip.textContent = `${this.points.ids[found]}: ${figure(this.points.values[found])}`;
    const left = (this.points.x[found] * this.view.scale + this.view.x) / this.sharp;
    const top = (this.points.y[found] * this.view.scale + this.view.y) / this.sharp;
    this.tip.style.left = `${Math.max(0, Math.min(this.stage.clientWidth - this.tip.offsetWidth, left + 10))}px`;
    this.tip.style.top = `${Math.max(0, top - 30)}px`;
  }

  wheel(event) {
    if (!(event.ctrlKey || event.metaKey)) return; // the page scrolls
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? 0.8 : 1.25, ...this.placeOf(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = KEY_STEP * (this.sharp ?? 1);
    const work = { ArrowLeft: () => this.pan(step, 0), ArrowRight: () => this.pan(-step, 0), ArrowUp: () => this.pan(0, step), ArrowDown: () => this.pan(0, -step), "+": () => this.zoom(1.5), "=": () => this.zoom(1.5), "-": () => this.zoom(1 / 1.5), 0: () => this.showAll(), Enter: () => this.chooseMiddle() }[event.key];
    if (!work) return;
    event.preventDefault();
    work();
    if (event.key !== "Enter") requestAnimationFrame(() => this.tell(this.find([this.width / 2, this.height / 2], 60)));
  }

  chooseMiddle() {
    const found = this.find([this.width / 2, this.height / 2], Infinity);
    if (found >= 0) this.onChoose(this.points.ids[found]);
  }

  close() {
    cancelAnimationFrame(this.pending);
    this.watch.disconnect();
    this.themes.disconnect();
  }
}
