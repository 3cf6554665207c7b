// The search bar of a log: what is looked for, how often it stands there, next and previous.

import { button, debounce, element } from "./dom.js";
import { LogSearch } from "./run-log-search.js";

const SLICE_MS = 8;

export class LogFind {
  constructor(store, view) {
    Object.assign(this, { store, view, search: new LogSearch(store), here: null, number: -1, pending: 0, ended: false });
    this.input = element("input", { class: "form-control form-control-sm", type: "search", placeholder: "Find in the output", "aria-label": "Find in the output", autocomplete: "off", spellcheck: "false" });
    this.count = element("span", { class: "tw-quiet tw-log-count", role: "status" });
    this.case = button("Aa", () => {
      this.case.setAttribute("aria-pressed", String(this.case.getAttribute("aria-pressed") !== "true"));
      this.begin();
    }, { "aria-pressed": "false", "aria-label": "Match case", title: "Match case" });
    this.bar = element("div", { class: "tw-log-find", role: "search", hidden: true }, this.input, this.case,
      button("↑", () => this.step(-1), { "aria-label": "Previous find", title: "Previous (Shift+Enter)" }),
      button("↓", () => this.step(1), { "aria-label": "Next find", title: "Next (Enter)" }),
      this.count, element("button", { class: "btn-close", type: "button", "aria-label": "Close search", onclick: () => this.hide() }));
    const typed = debounce(() => this.begin(), 150);
    this.input.addEventListener("input", typed);
    this.bar.addEventListener("keydown", (event) => this.key(event));
  }

  get isOpen() {
    return !this.bar.hidden;
  }

  key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      this.hide();
    } else if (event.key === "Enter" && event.target === this.input) {
      event.preventDefault();
      if (this.input.value !== this.sought) this.begin();
      this.step(event.shiftKey ? -1 : 1);
    }
  }

  open() {
    this.bar.hidden = false;
    this.input.focus();
    this.input.select();
    if (this.input.value) this.begin();
  }

  hide() {
    this.bar.hidden = true;
    this.set("");
    this.view.box.focus();
  }

  begin() {
    this.from = this.view.firstSeen;
    this.set(this.input.value);
  }

  set(text) {
    this.sought = text;
    this.search.set(text, this.case.getAttribute("aria-pressed") === "true");
    this.here = null;
    this.number = -1;
    this.view.redraw();
    this.plan();
    this.tell();
  }

  plan() {
    if (!this.pending && this.search.pattern) this.pending = requestAnimationFrame(() => this.frame());
  }

  frame() {
    this.pending = 0;
    const looked = this.search.step(SLICE_MS);
    if (this.ended) this.search.finish();
    // The first find from where the person is, as soon as the search has come that far.
    const { lines } = this.search;
    if (this.number < 0 && lines.length && (lines.at(-1) >= this.from || this.search.done)) this.go(this.search.firstFrom(this.from));
    if (looked && !this.search.done) this.plan();
    this.tell();
  }

  finish() {
    this.ended = true;
    this.plan();
  }

  step(by) {
    const { total } = this.search;
    if (!total) return;
    this.go(this.number < 0 ? this.search.firstFrom(this.view.firstSeen) : (this.number + by + total) % total);
    this.tell();
  }

  go(number) {
    this.number = number;
    this.here = this.search.find(number);
    const [from] = this.search.marksIn(this.view.textOf(this.here.line))[this.here.within] ?? [0];
    this.view.reveal(this.here.line, from);
    this.view.redraw();
  }

  tell() {
    const { pattern, total, done } = this.search;
    const found = total ? `${this.number < 0 ? "" : `${(this.number + 1).toLocaleString("en-GB")} of `}${total.toLocaleString("en-GB")}` : done ? "not found" : "";
    this.count.textContent = pattern ? `${found}${done ? "" : " …"}` : "";
  }

  close() {
    cancelAnimationFrame(this.pending);
  }
}
