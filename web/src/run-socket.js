// A WebSocket that comes back: after a restart, a lost network, a stopped workspace. Where none can be had, `poll`
// takes its place. Nothing is asked twice: `address()` is asked for anew at each attempt, and says where to go on.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const WITHOUT_SUCCESS = 2;

// Codes after which another attempt would end the same way.
const FINAL = { 4401: "signed-out", 4403: "refused", 4404: "gone" };

export function waitBefore(attempt, random = Math.random()) {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + random / 2);
}

// onState gets: connecting, live, reconnecting, stopped, polling, signed-out, refused, gone, over.
export class LastingSocket {
  constructor({ address, onMessage, onState = () => {}, poll = null, Socket = WebSocket }) {
    Object.assign(this, { address, onMessage, onState, poll, Socket });
    Object.assign(this, { attempt: 0, failures: 0, worked: false, closed: false, state: "connecting", abort: new AbortController() });
    this.again = () => {
      if (this.timer) this.connect();
    };
    this.lost = () => this.socket?.close();
    addEventListener("online", this.again);
    addEventListener("offline", this.lost);
    this.connect();
  }

  tell(state) {
    if (this.state === state || this.closed) return;
    this.state = state;
    this.onState(state);
  }

  connect() {
    clearTimeout(this.timer);
    this.timer = 0;
    const socket = new this.Socket(this.address());
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.worked = true; };
    socket.onmessage = ({ data }) => {
      if (this.closed || this.socket !== socket) return;
      this.attempt = 0;
      this.tell("live");
      this.onMessage(data);
    };
    socket.onclose = ({ code }) => this.socket === socket && this.ended(code);
  }

  ended(code) {
    this.socket = null;
    if (this.closed) return;
    if (code === 1000 || FINAL[code]) this.finish(FINAL[code] ?? "over");
    else if (this.poll && (code === 4429 || (!this.worked && (this.failures += 1) >= WITHOUT_SUCCESS))) this.ask();
    else this.later(code === 4409 ? "stopped" : "reconnecting");
  }

  later(state) {
    this.tell(state);
    this.timer = setTimeout(() => this.connect(), waitBefore(this.attempt + (state === "stopped" ? 3 : 0)));
    this.attempt += 1;
  }

  // Ask instead of being told; when that fails too, begin again with a socket.
  async ask() {
    this.tell("polling");
    try {
      await this.poll(this.abort.signal);
      this.finish("over");
    } catch (error) {
      if (this.closed || error.name === "AbortError") return;
      if (error.status === 404) this.finish("gone");
      else {
        this.failures = 0;
        this.later(error.code === "workspace_stopped" ? "stopped" : "reconnecting");
      }
    }
  }

  finish(state) {
    this.tell(state);
    this.close();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.abort.abort();
    removeEventListener("online", this.again);
    removeEventListener("offline", this.lost);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }
}

export function socketAddress(path) {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
