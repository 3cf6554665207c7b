import assert from "node:assert/strict";
import { test } from "node:test";

const listeners = new Map();
globalThis.addEventListener = (name, work) => listeners.set(name, work);
globalThis.removeEventListener = (name) => listeners.delete(name);
globalThis.location = { href: "https://twins.example/app/digitaltwins" };

const { LastingSocket, socketAddress, waitBefore } = await import("../src/run-socket.js");
const { LogFeed } = await import("../src/run-feed.js");

// A server's end of each connection that the page opens.
class Line {
  static opened = [];
  static waiting = [];
  constructor(address) {
    this.address = address;
    Line.opened.push(this);
    Line.waiting.shift()?.(this);
  }
  accept() { this.onopen?.(); }
  frame(offset, text) {
    const body = new TextEncoder().encode(text);
    const whole = new Uint8Array(8 + body.length);
    new DataView(whole.buffer).setBigUint64(0, BigInt(offset));
    whole.set(body, 8);
    this.onmessage?.({ data: whole.buffer });
  }
  end(code) { this.onclose?.({ code }); }
  close() {}
}

const next = () => new Promise((resolve) => Line.waiting.push(resolve));

function feed() {
  const got = { text: "", gaps: [], states: [], runs: [] };
  const opened = next();
  const made = new LogFeed({ id: "r1" }, {
    api: (path) => `/app/api/twins/${path}`,
    Socket: Line,
    onBytes: (bytes) => { got.text += new TextDecoder().decode(bytes); },
    onGap: (count) => got.gaps.push(count),
    onRun: (run) => got.runs.push(run),
    onState: (state) => got.states.push(state),
  });
  return { made, got, opened };
}

test("a lost connection goes on at the byte that was reached, and repeats nothing", async () => {
  const { made, got, opened } = feed();
  const first = await opened;
  assert.equal(first.address, "wss://twins.example/app/api/twins/runs/r1/stream?offset=0");
  first.accept();
  first.frame(0, "one\n");
  const again = next();
  first.end(1006);
  const second = await again;
  assert.ok(second.address.endsWith("offset=4"));
  second.accept();
  second.frame(2, "e\ntwo\n"); // a server that goes back a little
  first.frame(4, "late");
  second.frame(8, "three\n");
  assert.equal(got.text, "one\ntwo\nthree\n");
  assert.deepEqual(got.states, ["live", "reconnecting", "live"]);
  made.close();
});

test("output that is no more is said, once", async () => {
  const { made, got, opened } = feed();
  const line = await opened;
  line.accept();
  line.frame(1000, "later");
  assert.deepEqual(got.gaps, [1000]);
  assert.equal(made.offset, 1005);
  made.close();
});

test("codes that another attempt cannot mend end it, a restart does not", async () => {
  for (const [code, state] of [[4404, "gone"], [4401, "signed-out"], [4403, "refused"]]) {
    const { got, opened } = feed();
    const line = await opened;
    line.accept();
    line.end(code);
    assert.deepEqual(got.states, [state]);
  }
  const { made, got, opened } = feed();
  const line = await opened;
  line.accept();
  line.end(4409);
  assert.deepEqual(got.states, ["stopped"]);
  made.close();
});

test("where no WebSocket can be had, the log is asked for", async () => {
  const polled = Promise.withResolvers();
  const opened = next();
  const socket = new LastingSocket({ address: () => "wss://x/", onMessage: () => {}, Socket: Line, poll: async () => polled.resolve() });
  const again = next();
  (await opened).end(1006);
  (await again).end(1006);
  await polled.promise;
  socket.close();
});

test("a closed log listens no more", async () => {
  const { made, got, opened } = feed();
  const line = await opened;
  line.accept();
  made.close();
  line.frame(0, "late");
  line.end(1006);
  assert.equal(got.text, "");
  assert.equal(listeners.size, 0);
});

test("waits grow to a limit and differ, so that many pages do not come back at once", () => {
  assert.ok(waitBefore(0, 1) <= 500);
  assert.ok(waitBefore(3, 0) >= 2000 && waitBefore(3, 1) <= 4000);
  assert.equal(waitBefore(50, 1), 10_000);
});

test("the address is our own origin's", () => {
  assert.equal(socketAddress("/app/api/twins/events"), "wss://twins.example/app/api/twins/events");
});
