// The state of the person's workspace, and starting it with its steps shown.

import { request, requestJson } from "./api.js";

export const fetchWorkspace = () => requestJson("GET", "/app/api/workspace");

export async function startWorkspace(onStep, { fresh = false } = {}) {
  await request("POST", "/app/api/workspace", { json: { fresh } });
  return new Promise((resolve, reject) => {
    const events = new EventSource("/app/api/workspace/progress");
    events.onmessage = (event) => {
      const step = JSON.parse(event.data);
      onStep(step.progress ?? 0, step.message ?? "");
      if (step.ready || step.failed) events.close();
      if (step.ready) resolve();
      if (step.failed) reject(new Error(step.message.replace(/^Spawn failed: /, "")));
    };
    events.onerror = async () => {
      events.close();
      const { state } = await fetchWorkspace().catch(() => ({ state: "unknown" }));
      if (state === "ready") resolve();
      else reject(new Error("The connection was lost while the workspace started. Reload the page."));
    };
  });
}

export const stopWorkspace = () => request("DELETE", "/app/api/workspace");
