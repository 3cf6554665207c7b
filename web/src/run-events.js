// What happens in the workspace, as it happens: runs that start, change and end, twins that come and go.

import { requestJson } from "./api.js";
import { twinsApi } from "./run-badge.js";
import { LastingSocket, socketAddress } from "./run-socket.js";

const ASK_EVERY_MS = 5000;

export function watchEvents({ api = twinsApi, onRuns = () => {}, onTwins = () => {}, onConnection = () => {} } = {}) {
  const socket = new LastingSocket({
    address: () => socketAddress(api("events")),
    onMessage: (text) => {
      const message = JSON.parse(text);
      if (message.type === "runs") onRuns({ running: message.running ?? [], changed: message.changed ?? [] });
      else if (message.type === "twins") onTwins();
    },
    // The workspace's server may end a stream in good order; a page goes on watching all the same.
    onState: (state) => onConnection(state === "over" ? "closed" : state),
    poll: (signal) => ask(api, signal, onRuns, onTwins),
  });
  return { close: () => socket.close() };
}

async function ask(api, signal, onRuns, onTwins) {
  let known = null;
  for (;;) {
    if (!document.hidden) {
      const { runs } = await requestJson("GET", api("runs?limit=50"), { signal });
      const now = new Map(runs.map((run) => [run.id, run.state]));
      const changed = runs.filter((run) => known && known.get(run.id) !== run.state);
      if (changed.length || !known) onRuns({ running: runs.filter((run) => run.state === "running"), changed });
      if (known) onTwins();
      known = now;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}
