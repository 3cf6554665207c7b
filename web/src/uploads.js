// Uploads: a few at a time, each with progress, cancel and retry.

import { errorFrom, writeHeaders } from "./api.js";
import { besideName, encodePath, formatDuration, formatSize } from "./format.js";
import { ask, byId, element } from "./dom.js";

const PARALLEL = 3;

export class Uploads {
  constructor({ onDone }) {
    this.waiting = [];
    this.active = 0;
    this.onDone = onDone;
    this.forAll = null;
  }

  // Queue files: [{file, path}], path from the owner on.
  add(items) {
    this.forAll = null;
    for (const item of items) {
      const upload = { ...item, row: null, request: null };
      upload.row = this.makeRow(upload);
      byId("upload-list").append(upload.row.root);
      this.waiting.push(upload);
    }
    byId("uploads").hidden = false;
    this.pump();
  }

  makeRow(upload) {
    const bar = element("progress", { max: "1", value: "0", "aria-label": `Progress of ${upload.file.name}` });
    const state = element("span", { class: "tw-upload-state" }, "waiting");
    const button = element("button", { class: "btn btn-sm btn-link", type: "button", onclick: () => this.cancel(upload) }, "Cancel");
    const root = element("li", { class: "tw-upload" }, element("span", { class: "tw-upload-name", title: upload.path }, upload.path.split("/").slice(2).join("/")), bar, state, button);
    return { root, bar, state, button };
  }

  pump() {
    while (this.active < PARALLEL && this.waiting.length) {
      this.active += 1;
      this.send(this.waiting.shift()).finally(() => {
        this.active -= 1;
        this.pump();
        if (!this.active && !this.waiting.length) this.onDone();
      });
    }
  }

  async send(upload, replace = false) {
    try {
      await this.transfer(upload, replace);
      upload.row.bar.value = 1;
      upload.row.state.textContent = `done, ${formatSize(upload.file.size)}`;
      upload.row.button.remove();
    } catch (error) {
      if (error.code === "exists" && !replace) return this.resolveConflict(upload);
      upload.row.root.classList.add("tw-upload-failed");
      upload.row.state.textContent = error.message;
      upload.row.button.textContent = "Retry";
      upload.row.button.onclick = () => this.retry(upload);
    }
    return null;
  }

  retry(upload) {
    const fresh = { ...upload, row: null, request: null };
    fresh.row = this.makeRow(fresh);
    upload.row.root.replaceWith(fresh.row.root);
    this.waiting.push(fresh);
    this.pump();
  }

  async resolveConflict(upload) {
    const answer = this.forAll ?? (await ask({
      title: "This file exists already",
      text: upload.path,
      choices: [
        { value: "beside", label: "Keep both" },
        { value: "skip", label: "Skip", quiet: true },
        { value: "replace", label: "Replace", danger: true },
        ...(this.waiting.length || this.active > 1 ? [{ value: "replace-all", label: "Replace all", danger: true }] : []),
      ],
    }))?.choice ?? "skip";
    if (answer === "replace-all") this.forAll = answer;
    if (answer.startsWith("replace")) return this.send(upload, true);
    if (answer === "beside") {
      const folder = upload.path.slice(0, upload.path.lastIndexOf("/") + 1);
      upload.path = folder + besideName(upload.path.slice(folder.length), new Set());
      return this.send(upload);
    }
    upload.row.state.textContent = "skipped";
    upload.row.button.remove();
    return null;
  }

  transfer(upload, replace) {
    return new Promise((resolve, reject) => {
      const sending = new XMLHttpRequest();
      const started = performance.now();
      upload.request = sending;
      sending.open("PUT", `/lib/files/${encodePath(upload.path)}`);
      const headers = writeHeaders(replace ? {} : { "If-None-Match": "*" });
      for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
      sending.upload.onprogress = (event) => {
        const seconds = (performance.now() - started) / 1000;
        const speed = event.loaded / seconds;
        upload.row.bar.value = event.total ? event.loaded / event.total : 0;
        const left = (event.total - event.loaded) / speed;
        upload.row.state.textContent = `${formatSize(event.loaded)} of ${formatSize(event.total)}, ${formatSize(speed)}/s, ${formatDuration(left)} left`;
      };
      sending.onload = () => (sending.status < 300 ? resolve() : reject(errorFrom(sending.status, sending.responseText)));
      sending.onerror = () => reject(new Error("The connection was lost."));
      sending.onabort = () => reject(new Error("cancelled"));
      sending.send(upload.file);
    });
  }

  cancel(upload) {
    const index = this.waiting.indexOf(upload);
    if (index >= 0) {
      this.waiting.splice(index, 1);
      upload.row.root.remove();
    } else {
      upload.request?.abort();
    }
  }
}

// Everything in a drop: files with their folders, and folders that are empty.
export async function readDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = { files: [], emptyFolders: [] };
  for (const entry of entries) await readEntry(entry, "", found);
  return found;
}

async function readEntry(entry, prefix, found) {
  const path = prefix + entry.name;
  if (entry.isFile) {
    found.files.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), relative: path });
    return;
  }
  const reader = entry.createReader();
  let count = 0;
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) break;
    count += batch.length;
    for (const child of batch) await readEntry(child, `${path}/`, found);
  }
  if (!count) found.emptyFolders.push(path);
}
