// What a twin has written: tables as plots, pictures, notebooks, texts, and everything else to download.

import { request, requestJson } from "./api.js";
import { filesAddress } from "./assets.js";
import { button, element, lazy } from "./dom.js";
import { baseName, encodePath, formatSize, formatTime, parentPath, plural } from "./format.js";
import { twinsApi } from "./run-badge.js";

const AT_ONCE = 30;
const LARGEST_TEXT = 1_000_000;
const LARGEST_NOTEBOOK = 30_000_000;
// What each run of a sweep wrote: many files alike, shown when somebody asks for them.
const OF_SWEEP_RUN = /^sweeps\/[^/]+\/\d+\//;
const GROUPS = [["csv", "Tables"], ["image", "Pictures"], ["notebook", "Notebooks"], ["text", "Texts"], ["other", "Other files"]];

export function showOutputs(container, twin, { api = twinsApi, user = document.getElementById("twins")?.dataset.user ?? "" } = {}) {
  const outputs = new Outputs(twin, { api, user });
  container.replaceChildren(outputs.root);
  outputs.load();
  return { refresh: () => outputs.load(), close: () => outputs.close() };
}

class Outputs {
  constructor(twin, { api, user }) {
    Object.assign(this, { twin, api, user, cards: new Map(), limits: new Map(), first: true, abort: new AbortController() });
    this.note = element("p", { class: "tw-quiet", role: "status" }, "looking …");
    this.groups = new Map(GROUPS.map(([kind, label]) => [kind, this.group(kind, label)]));
    this.sweeps = button("", () => {
      this.withSweeps = !this.withSweeps;
      this.fill();
    }, { kind: "link" });
    this.sweepsPlace = element("div", { hidden: true }, this.sweeps);
    this.root = element("div", { class: "tw-outputs" }, this.note, this.sweepsPlace, ...[...this.groups.values()].map(({ root }) => root));
  }

  group(kind, label) {
    const list = element("div", { class: `tw-outputs-${kind}` });
    const more = button("Show more", () => {
      this.limits.set(kind, (this.limits.get(kind) ?? AT_ONCE) + AT_ONCE);
      this.fill();
    }, { kind: "link", hidden: true });
    return { list, more, root: element("section", { "aria-label": label, hidden: true }, element("h3", { class: "h6" }, label), list, more) };
  }

  async load() {
    this.abort.abort();
    this.abort = new AbortController();
    try {
      const { files, more } = await requestJson("GET", this.api(`${encodeURIComponent(this.twin)}/outputs`), { signal: this.abort.signal });
      this.files = files;
      this.note.textContent = files.length ? "" : `Nothing yet. What the twin writes to data/${this.twin} appears here.`;
      if (files.length) {
        const place = element("a", { href: `/app/library/private/data/${encodePath(this.twin)}` }, `data/${this.twin}`);
        this.note.append(`${more ? "more than " : ""}${plural(files.length, "file")} in `, place);
      }
      this.fill();
    } catch (error) {
      if (error.name !== "AbortError") this.note.textContent = error.message;
    }
  }

  fill() {
    const seen = new Set();
    const ofSweeps = this.files.filter(({ path }) => OF_SWEEP_RUN.test(path)).length;
    this.sweepsPlace.hidden = !ofSweeps;
    this.sweeps.textContent = `${this.withSweeps ? "Hide" : "Show"} ${plural(ofSweeps, "file")} of the sweeps' runs`;
    this.sweeps.setAttribute("aria-expanded", String(Boolean(this.withSweeps)));
    const shown = this.withSweeps ? this.files : this.files.filter(({ path }) => !OF_SWEEP_RUN.test(path));
    for (const [kind, { list, more, root }] of this.groups) {
      const files = shown.filter((file) => (this.groups.has(file.kind) ? file.kind : "other") === kind);
      const limit = this.limits.get(kind) ?? AT_ONCE;
      root.hidden = !files.length;
      more.hidden = files.length <= limit;
      for (const file of files.slice(0, limit)) {
        seen.add(file.path);
        this.place(list, kind, file);
      }
    }
    for (const [path, card] of this.cards) if (!seen.has(path)) this.drop(path, card);
    if (this.first && this.files.length) this.openFirst();
  }

  place(list, kind, file) {
    let card = this.cards.get(file.path);
    if (card && card.kind !== kind) card = this.drop(file.path, card);
    if (!card) {
      card = kind === "image" ? new Picture(this, file) : new Card(this, kind, file);
      card.kind = kind;
      this.cards.set(file.path, card);
      list.append(card.root);
    } else if (card.file.modified_s !== file.modified_s || card.file.size_bytes !== file.size_bytes) card.changed(file);
  }

  drop(path, card) {
    card.close();
    card.root.remove();
    this.cards.delete(path);
    return null;
  }

  // One table is what most twins make; who opens the page wants to see it.
  openFirst() {
    this.first = false;
    const tables = this.files.filter((file) => this.cards.has(file.path) && file.kind === "csv" && file.size_bytes > 0);
    const table = tables.find(({ path }) => path === "outputs.csv") ?? tables[0];
    if (table) this.cards.get(table.path)?.open();
  }

  address(path, inline = false) {
    return filesAddress(`${this.user}/data/${this.twin}/${path}`, { inline });
  }

  labAddress(path) {
    return `/user/${encodeURIComponent(this.user)}/lab/tree/${encodePath(`data/${this.twin}/${path}`)}`;
  }

  close() {
    this.abort.abort();
    for (const card of this.cards.values()) card.close();
    this.root.remove();
  }
}

class Picture {
  constructor(outputs, file) {
    Object.assign(this, { outputs });
    this.image = element("img", { loading: "lazy", alt: file.path });
    this.caption = element("figcaption", { class: "tw-quiet" });
    this.link = element("a", { target: "_blank", rel: "noopener", "aria-label": `Open ${file.path}` }, this.image);
    this.root = element("figure", { class: "tw-output-picture" }, this.link, this.caption);
    this.image.addEventListener("error", () => { this.caption.textContent = `${this.file.path}: the browser cannot show this picture.`; });
    this.changed(file);
  }

  changed(file) {
    this.file = file;
    this.image.src = `${this.outputs.address(file.path, true)}&t=${file.modified_s}`;
    this.link.href = this.image.src;
    this.caption.textContent = `${file.path}, ${formatSize(file.size_bytes)}`;
  }

  close() {}
}

const VERBS = { csv: "Plot", notebook: "Show", text: "Show" };

class Card {
  constructor(outputs, kind, file) {
    Object.assign(this, { outputs, kind, handle: null });
    this.body = element("div", { class: "tw-output-body", hidden: true });
    this.facts = element("span", { class: "tw-quiet" });
    const name = element("span", { class: "tw-output-name", title: file.path }, file.path);
    this.toggle = VERBS[kind] ? button(VERBS[kind], () => (this.body.hidden ? this.open() : this.close()), { "aria-expanded": "false", "aria-label": `${VERBS[kind]} ${file.path}` }) : null;
    const download = element("a", { class: "btn btn-sm btn-outline-secondary", href: outputs.address(file.path), download: baseName(file.path), "aria-label": `Download ${file.path}` }, "Download");
    const lab = kind === "notebook" ? element("a", { class: "btn btn-sm btn-outline-secondary", href: outputs.labAddress(file.path), target: "_blank", rel: "noopener" }, "JupyterLab") : null;
    this.root = element("article", { class: "tw-output", "aria-label": file.path },
      element("div", { class: "tw-output-head" }, element("span", { class: "tw-icon", "data-kind": { csv: "table", notebook: "code", text: "data" }[kind] ?? "file" }), name, this.facts, element("span", { class: "tw-output-actions" }, this.toggle, lab, download)), this.body);
    this.changed(file);
  }

  changed(file) {
    this.file = file;
    this.facts.textContent = `${formatSize(file.size_bytes)}, ${formatTime(file.modified_s)}`;
    if (this.body.hidden) return;
    if (this.handle) this.handle.refresh();
    else this.fill();
  }

  async open() {
    this.show(true);
    await this.fill();
  }

  async fill() {
    try {
      if (this.kind === "csv") await this.plot();
      else if (this.kind === "notebook") await this.notebook();
      else await this.text();
    } catch (error) {
      this.body.replaceChildren(element("p", { class: "tw-quiet", role: "status" }, error.message));
    }
  }

  async plot() {
    const { showPlot } = await lazy(() => import("./plot-csv.js"));
    if (!this.body.hidden) this.handle = showPlot(this.body, { twin: this.outputs.twin, path: this.file.path, api: this.outputs.api });
  }

  async notebook() {
    if (this.file.size_bytes > LARGEST_NOTEBOOK) throw new Error(`Notebooks of more than ${formatSize(LARGEST_NOTEBOOK)} are not shown here; open it in JupyterLab.`);
    const { showNotebook } = await lazy(() => import("./notebook.js"));
    const text = await (await request("GET", this.outputs.address(this.file.path))).text();
    const root = `${this.outputs.user}/data/${this.outputs.twin}`;
    const place = parentPath(this.file.path);
    await showNotebook(this.body, parsed(text), { name: this.file.path, openAddress: this.outputs.labAddress(this.file.path), folder: place ? `${root}/${place}` : root, root, user: this.outputs.user });
  }

  async text() {
    const cut = this.file.size_bytes > LARGEST_TEXT;
    const headers = cut ? { Range: `bytes=0-${LARGEST_TEXT - 1}` } : {};
    const text = await (await request("GET", this.outputs.address(this.file.path), { headers })).text();
    const box = element("div", { class: "tw-code-box" });
    this.body.replaceChildren(...(cut ? [element("p", { class: "tw-quiet" }, `The first ${formatSize(LARGEST_TEXT)} of ${formatSize(this.file.size_bytes)}; Download has all.`)] : []), box);
    const { openCode } = await lazy(() => import("./code.js"));
    this.editor?.close();
    this.editor = openCode(box, { text, name: this.file.path, label: `Text of ${this.file.path}`, editable: false });
  }

  close() {
    this.handle?.close();
    this.editor?.close();
    Object.assign(this, { handle: null, editor: null });
    this.body.replaceChildren();
    this.show(false);
  }

  show(open) {
    this.body.hidden = !open;
    if (!this.toggle) return;
    const verb = open ? "Hide" : VERBS[this.kind];
    this.toggle.textContent = verb;
    this.toggle.setAttribute("aria-expanded", String(open));
    this.toggle.setAttribute("aria-label", `${verb} ${this.file.path}`);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not valid JSON: ${error.message}`, { cause: error });
  }
}
