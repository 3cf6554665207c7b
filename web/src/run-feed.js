// Where the bytes of a log come from: a WebSocket whose frames say at which byte they begin, else one question after
// the other. The byte that was reached is all that is needed to go on, so nothing is lost and nothing comes twice.

import { request, requestJson } from "./api.js";
import { oneRun } from "./run-badge.js";
import { LastingSocket, socketAddress } from "./run-socket.js";

const HEAD = 8;

export class LogFeed {
  // onBytes(bytes), onGap(count): so many bytes of older output are no more, onRun(run), onState(state)
  constructor(run, { api, onBytes, onGap, onRun, onState, Socket }) {
    Object.assign(this, { id: run.id, api, onBytes, onGap, onRun, onState, offset: 0 });
    this.socket = new LastingSocket({
      address: () => socketAddress(api(`${oneRun(run.id)}/stream?offset=${this.offset}`)),
      onMessage: (data) => (typeof data === "string" ? this.told(data) : this.took(data)),
      onState: (state) => this.changed(state),
      poll: (signal) => this.ask(signal),
      Socket,
    });
  }

  told(text) {
    const message = JSON.parse(text);
    if (message.type === "state") this.onRun(message.run);
    if (message.type === "gap" && message.to > this.offset) this.gap(message.to);
  }

  gap(to) {
    this.onGap(to - this.offset);
    this.offset = to;
  }

  took(buffer) {
    const at = Number(new DataView(buffer).getBigUint64(0));
    if (at > this.offset) this.gap(at);
    const known = this.offset - at;
    const fresh = new Uint8Array(buffer, HEAD).subarray(known);
    this.offset = Math.max(this.offset, at + buffer.byteLength - HEAD);
    if (fresh.length) this.onBytes(fresh);
  }

  async changed(state) {
    if (state === "over") await this.last();
    this.onState(state);
  }

  // The state at the end may have been told in a frame that a lost connection took along.
  async last() {
    try {
      this.onRun(await requestJson("GET", this.api(oneRun(this.id))));
    } catch {
      // The log is whole without it, and the page hears of the end by its events.
    }
  }

  async ask(signal) {
    for (;;) {
      const answer = await request("GET", this.api(`${oneRun(this.id)}/log?offset=${this.offset}&wait_s=20`), { signal });
      const next = Number(answer.headers.get("X-Log-Next"));
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (bytes.length) this.onBytes(bytes);
      const ended = answer.headers.get("X-Run-State") !== "running" && next === this.offset;
      this.offset = next;
      if (ended) return;
    }
  }

  close() {
    this.socket.close();
  }
}
