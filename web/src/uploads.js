// Uploads that survive a lost network, a restart of the server and a reload of the page (tus 1.0).

import { Upload } from "tus-js-client";
import { errorFrom, request, requestJson, writeHeaders } from "./api.js";
import { baseName } from "./format.js";
import { differs, forget, recall, remember } from "./upload-memory.js";

const PARALLEL = 3;
const CHUNK = 8 * 1024 * 1024;
const ENDPOINT = "/lib/uploads";
const DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000, ...Array(200).fill(30_000)];
const PASSING = new Set([0, 408, 409, 423, 425, 429, 500, 502, 503, 504]);

export const UNDER_WAY = new Set(["waiting", "sending", "retrying", "asking"]);

export class Uploads {
  // onChange: something is to be shown; onStored(path): a file is in its place; resolveConflict(item): "replace", "keep-both" or "skip".
  constructor({ onChange, onStored, resolveConflict }) {
    Object.assign(this, { onChange, onStored, resolveConflict, items: [], active: 0, next: 0, held: false });
    addEventListener("online", () => this.hurry());
    addEventListener("beforeunload", (event) => {
      if (this.items.some((item) => UNDER_WAY.has(item.state))) event.preventDefault();
    });
  }

  // Queue files: [{file, path, handle}], path from the owner on. One that was begun before goes on.
  add(files) {
    for (const { file, path, handle = null } of files) {
      const begun = this.items.find((item) => item.state === "interrupted" && item.path === path && !differs(file, item));
      if (begun) this.goOn(begun, file, handle);
      else this.items.push(this.make({ file, path, handle, size: file.size, name: file.name, modified: file.lastModified }));
    }
    this.pump();
    this.onChange();
  }

  make(values) {
    this.next += 1;
    return { id: this.next, file: null, handle: null, state: "waiting", sent: 0, message: "", conflict: "refuse", address: null, tus: null, ...values };
  }

  // The uploads that an earlier visit left unfinished.
  async recall() {
    const [{ uploads }, records, held] = await Promise.all([requestJson("GET", ENDPOINT), recall(), navigator.locks?.query() ?? { held: [] }]);
    const elsewhere = new Set(held.held.map((lock) => lock.name));
    const known = new Set(this.items.map((item) => item.address && new URL(item.address).pathname));
    for (const { path, length, offset, address, expires } of uploads) {
      const full = new URL(address, location.href);
      if (elsewhere.has(lockName(full.href)) || known.has(full.pathname)) continue;
      const record = records.find((candidate) => candidate.address === full.href);
      this.items.push(this.make({ path, size: length, sent: offset, address: full.href, expires, name: record?.name ?? "", modified: record?.modified ?? 0, handle: record?.handle ?? null, state: "interrupted" }));
    }
    for (const record of records) if (!uploads.some((upload) => new URL(upload.address, location.href).href === record.address)) forget(record.address);
    this.onChange();
  }

  pump() {
    while (!this.held && this.active < PARALLEL) {
      const item = this.items.find((candidate) => candidate.state === "waiting");
      if (!item) return;
      this.active += 1;
      this.send(item).finally(() => {
        this.active -= 1;
        this.pump();
        this.onChange();
      });
    }
  }

  // Send one to its end, to a pause or to a failure.
  async send(item) {
    item.state = "sending";
    item.message = "";
    const release = item.address ? lock(item.address) : null;
    try {
      await new Promise((resolve, reject) => {
        item.leave = resolve;
        item.tus ??= this.open(item);
        Object.assign(item.tus.options, { onSuccess: ({ lastResponse }) => { stored(item, lastResponse); resolve(); }, onError: reject });
        item.tus.start();
      });
    } catch (error) {
      await this.failed(item, error);
    } finally {
      release?.();
      item.release?.();
    }
    if (item.state === "done") {
      forget(item.address);
      Object.assign(item, { tus: null, file: null, handle: null });
      this.onStored(item.path);
    }
  }

  open(item) {
    const small = item.size <= CHUNK;
    return new Upload(item.file, {
      endpoint: new URL(ENDPOINT, location.href).href,
      uploadUrl: item.address,
      chunkSize: CHUNK,
      uploadDataDuringCreation: small,
      storeFingerprintForResuming: false,
      retryDelays: DELAYS_MS,
      headers: writeHeaders(),
      metadata: { path: item.path, conflict: item.conflict },
      onShouldRetry: (error) => this.mayRetry(item, error),
      onProgress: (sent) => {
        if (item.state === "retrying") item.state = "sending";
        item.sent = sent;
        this.onChange();
      },
      onUploadUrlAvailable: () => {
        if (item.tus.url === item.address) return;
        item.address = item.tus.url;
        item.release = lock(item.address);
        if (!small) remember({ address: item.address, path: item.path, name: item.name, size: item.size, modified: item.modified, handle: item.handle });
      },
    });
  }

  mayRetry(item, error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    const code = status === 409 || status === 503 ? errorFrom(status, error.originalResponse.getBody()).code : "";
    if (!PASSING.has(status) || code === "exists") return false;
    item.state = "retrying";
    item.message = status === 0 ? "The connection is lost; trying again by itself" : "The server is busy or restarting; trying again by itself";
    this.onChange();
    return true;
  }

  async failed(item, error) {
    const answer = error.originalResponse;
    const reason = answer ? errorFrom(answer.getStatus(), answer.getBody()) : null;
    if (reason?.code === "exists") {
      Object.assign(item, { state: "asking", sent: 0 });
      this.onChange();
      const choice = await this.resolveConflict(item);
      Object.assign(item, { tus: null, address: null, sent: 0, conflict: choice, state: choice === "skip" ? "skipped" : "waiting" });
      return;
    }
    if (item.state === "cancelled") return;
    item.state = "failed";
    item.message = reason?.message ?? (item.file ? "The file cannot be read any more. It was changed or moved on your disk: choose it again." : error.message);
  }

  pause(item) {
    if (item.state === "waiting") item.state = "paused";
    if (item.state !== "sending" && item.state !== "retrying") return this.onChange();
    item.state = "paused";
    item.tus.abort();
    item.leave();
    return this.onChange();
  }

  resume(item) {
    if (item.state !== "paused" && item.state !== "failed") return;
    if (item.state === "failed") item.tus = null;
    item.state = "waiting";
    this.pump();
    this.onChange();
  }

  // Go on with an upload of an earlier visit, with its file.
  goOn(item, file, handle = null) {
    const problem = differs(file, item);
    if (problem) throw new Error(problem);
    Object.assign(item, { file, handle: handle ?? item.handle, name: file.name, modified: file.lastModified, state: "waiting", message: "" });
    remember({ address: item.address, path: item.path, name: item.name, size: item.size, modified: item.modified, handle: item.handle });
    this.pump();
    this.onChange();
  }

  async cancel(item) {
    const { address } = item;
    const running = item.state === "sending" || item.state === "retrying";
    item.state = "cancelled";
    item.message = "";
    item.tus?.abort();
    if (running) item.leave();
    this.onChange();
    const begun = item.tus?.url ?? address;
    Object.assign(item, { tus: null, file: null, handle: null });
    if (!begun) return;
    await forget(begun);
    await request("DELETE", new URL(begun, location.href).pathname, { headers: { "Tus-Resumable": "1.0.0" } }).catch((error) => {
      if (error.status !== 404 && error.status !== 410) item.message = `${error.message} What was sent is removed when it expires.`;
    });
    this.onChange();
  }

  pauseAll() {
    this.held = true;
    for (const item of this.items) if (item.state === "sending" || item.state === "retrying") this.pause(item);
    this.onChange();
  }

  resumeAll() {
    this.held = false;
    for (const item of this.items) if (item.state === "paused") item.state = "waiting";
    this.pump();
    this.onChange();
  }

  cancelAll() {
    for (const item of this.items) if (item.state === "waiting") item.state = "cancelled";
    for (const item of this.items) if (UNDER_WAY.has(item.state) || item.state === "paused") this.cancel(item);
    this.held = false;
    this.onChange();
  }

  // The network is back: do not wait for the next try.
  hurry() {
    for (const item of this.items) {
      if (item.state !== "retrying") continue;
      item.tus.abort();
      item.tus.start();
    }
  }

  clearFinished() {
    this.items = this.items.filter((item) => UNDER_WAY.has(item.state) || item.state === "paused" || item.state === "interrupted");
    this.onChange();
  }
}

function stored(item, answer) {
  const path = answer?.getHeader("Upload-Path");
  item.state = "done";
  item.sent = item.size;
  if (!path) return;
  const at = path.split("/").map(decodeURIComponent).join("/").replace(/^\/+/, "");
  if (baseName(at) !== baseName(item.path)) item.message = `as ${baseName(at)}`;
  item.path = at;
}

const lockName = (address) => `twinhub-upload ${new URL(address).pathname}`;

// Tell other tabs that this upload is under way here.
function lock(address) {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  navigator.locks?.request(lockName(address), { ifAvailable: true }, () => held).catch(() => {});
  return release;
}
