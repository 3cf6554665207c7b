// Uploads as people see them. Of thousands, only those that matter just now have a line.

import { ask, attempt, button, byId, debounce, element, showError, toast } from "./dom.js";
import { formatDuration, formatSize, plural } from "./format.js";
import { Speed } from "./speed.js";
import { UNDER_WAY, Uploads } from "./uploads.js";

const ORDER = ["failed", "interrupted", "asking", "sending", "retrying", "paused", "waiting", "done", "skipped", "cancelled"];
const MOST_LINES = 12; // of each state
const EVERY_MS = 250;
const FOLD_AFTER_MS = 5000;

export class UploadPanel {
  constructor({ onStored }) {
    this.lines = new Map();
    this.total = new Speed();
    this.forAll = "";
    this.questions = Promise.resolve();
    this.drawn = 0;
    this.uploads = new Uploads({ onChange: () => this.plan(), onStored, resolveConflict: (item) => this.question(item) });
    byId("pause-uploads").addEventListener("click", () => this.uploads.pauseAll());
    byId("resume-uploads").addEventListener("click", () => this.uploads.resumeAll());
    byId("cancel-uploads").addEventListener("click", () => this.cancelAll());
    byId("close-uploads").addEventListener("click", () => this.close());
    byId("fold-uploads").addEventListener("click", () => this.fold());
  }

  add(files) {
    this.forAll = "";
    this.uploads.add(files);
    byId("uploads").hidden = false;
    this.fold(false);
  }

  async recall() {
    await this.uploads.recall();
    if (this.uploads.items.length) byId("uploads").hidden = false;
  }

  // One question at a time, however many files are there already.
  question(item) {
    const asked = this.questions.then(async () => {
      if (this.forAll) return this.forAll;
      const more = this.uploads.items.some((other) => other !== item && UNDER_WAY.has(other.state));
      const answer = await ask({
        title: "This file exists already",
        text: item.path,
        fields: more ? [{ name: "all", label: "The same for all others that exist already", checkbox: true }] : [],
        choices: [{ value: "keep-both", label: "Keep both" }, { value: "skip", label: "Skip", quiet: true }, { value: "replace", label: "Replace", danger: true }],
      });
      const choice = answer?.choice ?? "skip";
      if (answer?.all) this.forAll = choice;
      return choice;
    });
    this.questions = asked.catch(() => {});
    return asked;
  }

  async cancelAll() {
    const left = this.uploads.items.filter((item) => UNDER_WAY.has(item.state) || item.state === "paused").length;
    if (left > 1 && !(await ask({ title: `Cancel ${plural(left, "upload")}?`, text: "What is complete stays.", confirm: "Cancel them", danger: true }))) return;
    this.uploads.cancelAll();
  }

  close() {
    this.uploads.clearFinished();
    if (!this.uploads.items.some((item) => UNDER_WAY.has(item.state) || item.state === "paused")) byId("uploads").hidden = true;
    else this.fold(true);
  }

  fold(folded = !byId("uploads").classList.contains("tw-folded")) {
    byId("uploads").classList.toggle("tw-folded", folded);
    byId("fold-uploads").setAttribute("aria-expanded", String(!folded));
  }

  plan() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.draw();
    }, Math.max(0, EVERY_MS - (performance.now() - this.drawn)));
  }

  draw() {
    this.drawn = performance.now();
    const groups = Object.groupBy(this.uploads.items, (item) => item.state);
    const shown = ORDER.flatMap((state) => (state === "done" || state === "cancelled" ? (groups[state] ?? []).slice(-MOST_LINES) : (groups[state] ?? []).slice(0, MOST_LINES)));
    const lines = new Map();
    let before = null;
    for (const item of shown) {
      const line = this.lines.get(item.id) ?? this.make(item);
      const wanted = before ? before.nextSibling : byId("upload-list").firstChild;
      if (line.root !== wanted) byId("upload-list").insertBefore(line.root, wanted);
      before = line.root;
      this.fill(line, item);
      lines.set(item.id, line);
    }
    for (const [id, line] of this.lines) if (!lines.has(id)) line.root.remove();
    this.lines = lines;
    const hidden = this.uploads.items.length - shown.length;
    byId("upload-more").textContent = hidden ? `and ${hidden.toLocaleString("en-GB")} more` : "";
    this.summarise(groups);
  }

  summarise(groups) {
    const counted = this.uploads.items.filter((item) => !["cancelled", "skipped", "interrupted"].includes(item.state));
    const size = counted.reduce((sum, item) => sum + item.size, 0);
    const sent = counted.reduce((sum, item) => sum + item.sent, 0);
    const busy = counted.some((item) => UNDER_WAY.has(item.state));
    const moving = Boolean(groups.sending);
    if (!moving) this.total = new Speed();
    else this.total.add(sent, performance.now());
    const done = groups.done?.length ?? 0;
    const words = counted.length ? [`${done.toLocaleString("en-GB")} of ${plural(counted.length, "file")}`, `${formatSize(sent)} of ${formatSize(size)}`] : [plural(groups.interrupted?.length ?? 0, "unfinished upload")];
    const speed = this.total.perSecond();
    if (moving && speed > 0) words.push(`${formatSize(speed)}/s`, `${formatDuration(this.total.secondsLeft(size))} left`);
    byId("upload-total").textContent = words.join(" · ");
    byId("upload-bar").hidden = counted.length === 0;
    byId("upload-bar").value = size ? sent / size : done / Math.max(1, counted.length);
    this.foldWhenDone(busy, groups);
    const paused = Boolean(groups.paused) || (this.uploads.held && Boolean(groups.waiting));
    byId("pause-uploads").hidden = this.uploads.held || !(groups.sending || groups.retrying || groups.waiting);
    byId("resume-uploads").hidden = !paused;
    byId("cancel-uploads").hidden = !busy && !groups.paused;
  }

  // What is done is in nobody's way for long.
  foldWhenDone(busy, groups) {
    const settled = !busy && Boolean(groups.done) && !groups.failed && !groups.paused && !groups.interrupted;
    if (settled === this.settled) return;
    this.settled = settled;
    clearTimeout(this.folding);
    if (!settled) return;
    this.folding = setTimeout(() => {
      if (!byId("uploads").matches(":hover, :focus-within")) this.fold(true);
    }, FOLD_AFTER_MS);
  }

  make(item) {
    const name = element("span", { class: "tw-upload-name" });
    const bar = element("progress", { max: "1", value: "0" });
    const state = element("span", { class: "tw-upload-state" });
    const buttons = element("span", { class: "tw-upload-buttons" });
    const root = element("li", { class: "tw-upload", "data-path": item.path }, name, buttons, bar, state);
    return { root, name, bar, state, buttons, speed: new Speed(), shape: "" };
  }

  fill(line, item) {
    line.name.textContent = item.path.split("/").slice(2).join("/") || item.path;
    line.name.title = item.path;
    line.bar.value = item.size ? item.sent / item.size : Number(item.state === "done");
    line.bar.setAttribute("aria-label", `Progress of ${line.name.textContent}`);
    line.root.dataset.state = item.state;
    line.root.classList.toggle("tw-upload-failed", item.state === "failed");
    line.state.textContent = this.describe(line, item);
    if (line.shape === item.state) return;
    line.shape = item.state;
    const held = line.buttons.contains(document.activeElement);
    line.buttons.replaceChildren(...this.buttons(item, line.name.textContent));
    if (held) line.buttons.querySelector("button")?.focus();
  }

  describe(line, item) {
    const part = `${formatSize(item.sent)} of ${formatSize(item.size)}`;
    if (item.state === "sending") {
      line.speed.add(item.sent, performance.now());
      const speed = line.speed.perSecond();
      return speed > 0 ? `${part}, ${formatSize(speed)}/s, ${formatDuration(line.speed.secondsLeft(item.size))} left` : part;
    }
    const words = {
      waiting: "waiting",
      asking: "exists already",
      retrying: `${item.message} (${part})`,
      paused: `paused at ${part}`,
      interrupted: `stopped at ${part}. ${item.handle ? "Press Go on." : "Press Go on and choose the same file, or drop it here again."}`,
      failed: item.message,
      skipped: "skipped",
      done: `done, ${formatSize(item.size)}${item.message ? `, ${item.message}` : ""}`,
    };
    return words[item.state] ?? `cancelled${item.message ? `. ${item.message}` : ""}`;
  }

  buttons(item, name) {
    const make = (label, work) => button(label, work, { kind: "link", "aria-label": `${label} ${name}` });
    const cancel = make("Cancel", () => this.uploads.cancel(item));
    if (item.state === "sending" || item.state === "retrying") return [make("Pause", () => this.uploads.pause(item)), cancel];
    if (item.state === "waiting") return [cancel];
    if (item.state === "paused") return [make("Resume", () => { this.uploads.held = false; this.uploads.resume(item); }), cancel];
    if (item.state === "failed") return [make("Retry", () => this.retry(item)), cancel];
    if (item.state === "interrupted") return [make("Go on", () => attempt(() => this.goOn(item))), make("Discard", () => this.uploads.cancel(item))];
    return [];
  }

  async retry(item) {
    if (item.file) this.uploads.resume(item);
    else await attempt(() => this.goOn(item));
  }

  // With a handle one press is enough; otherwise the same file has to be chosen.
  async goOn(item) {
    const handle = item.handle;
    if (handle && (await handle.requestPermission({ mode: "read" })) === "granted") {
      const file = await handle.getFile().catch(() => null);
      if (file) return this.uploads.goOn(item, file, handle);
      toast("The file is not where it was. Choose it again.");
    }
    return this.chooseAgain(item);
  }

  async chooseAgain(item) {
    if (globalThis.showOpenFilePicker) {
      const [handle] = await showOpenFilePicker().catch((error) => {
        if (error.name === "AbortError") return [];
        throw error;
      });
      if (handle) this.uploads.goOn(item, await handle.getFile(), handle);
      return;
    }
    const input = element("input", { type: "file", hidden: true });
    input.addEventListener("change", () => {
      input.remove();
      try {
        this.uploads.goOn(item, input.files[0]);
      } catch (error) {
        showError(error);
      }
    });
    document.body.append(input);
    input.click();
  }
}

// Shows what arrives while much is on its way, without asking the server for each file.
export const nowAndThen = (work) => {
  const later = debounce(work, 400);
  let last = 0;
  return (...values) => {
    if (performance.now() - last > 3000) {
      last = performance.now();
      work(...values);
    } else later(...values);
  };
};
