// The person's workspaces: their state, starting one with its steps shown, keeping and stopping it.

import { request, requestJson } from "./api.js";

// A person's own workspace has no name; in addresses `_` stands for it.
const address = (server, rest = "") => `/app/api/workspaces/${server || "_"}${rest}`;

export const fetchWorkspace = () => requestJson("GET", "/app/api/workspace");
export const fetchWorkspaces = () => requestJson("GET", "/app/api/workspaces");

// Asks for a start and no more; the hub knows a new workspace from then on.
export const askToStart = ({ server = "", fresh = false, profile } = {}) => request("POST", address(server), { json: { fresh, profile } });

export async function startWorkspace(onStep, wish = {}) {
  await askToStart(wish);
  return followStart(onStep, wish.server);
}

export function followStart(onStep, server = "") {
  return new Promise((resolve, reject) => {
    const events = new EventSource(address(server, "/progress"));
    events.onmessage = (event) => {
      const step = JSON.parse(event.data);
      onStep(step.progress ?? 0, step.message ?? "");
      if (step.ready || step.failed) events.close();
      if (step.ready) resolve();
      if (step.failed) reject(new Error(step.message.replace(/^Spawn failed: /, "")));
    };
    events.onerror = async () => {
      events.close();
      const { workspaces } = await fetchWorkspaces().catch(() => ({ workspaces: [] }));
      if (workspaces.find((one) => one.server === server)?.state === "ready") resolve();
      else reject(new Error("The connection was lost while the workspace started. Reload the page."));
    };
  });
}

export const stopWorkspace = (server = "", { remove = false } = {}) => request("DELETE", address(server, remove ? "?remove=1" : ""));
export const keepWorkspace = (server, until) => requestJson("POST", address(server, "/keep"), { json: { until } });
