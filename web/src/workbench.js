// The Workbench page: the workspace's state and the ways into its tools.

import "./frame.js";
import { requestJson } from "./api.js";
import { ask, byId, showError } from "./dom.js";
import { fetchWorkspace, startWorkspace, stopWorkspace } from "./workspace.js";

const WORDS = { ready: "running", starting: "starting", stopping: "stopping", stopped: "stopped" };

function show(state) {
  byId("state").textContent = WORDS[state] ?? state;
  byId("state").dataset.state = state;
  byId("start").hidden = state !== "stopped";
  byId("fresh").hidden = state !== "stopped";
  byId("stop").hidden = state !== "ready";
  byId("progress-area").hidden = state !== "starting";
}

function step(percent, message) {
  byId("progress").value = percent;
  byId("progress-text").textContent = message;
}

async function start(options) {
  show("starting");
  byId("failure").hidden = true;
  try {
    await startWorkspace(step, options);
  } catch (error) {
    byId("failure").textContent = error.message;
    byId("failure").hidden = false;
  }
  await refresh();
}

async function stop() {
  const twins = await requestJson("GET", "/app/api/twins/").then((content) => content.twins, () => []);
  const running = twins.filter((twin) => twin.running.length).map((twin) => twin.name);
  const text = running.length ? `These twins run and would be ended: ${running.join(", ")}.` : "Open notebooks and terminals end; files and what you installed stay.";
  if (!(await ask({ title: "Stop the workspace?", text, confirm: "Stop it", danger: true }))) return;
  show("stopping");
  await stopWorkspace().catch(showError);
  await refresh();
}

async function startFresh() {
  const text = "The container is made anew: what you installed with apt is gone. Your files, your home folder and pip packages stay.";
  if (await ask({ title: "Start with a fresh container?", text, confirm: "Start fresh", danger: true })) await start({ fresh: true });
}

async function refresh() {
  try {
    const { state } = await fetchWorkspace();
    show(state);
    if (state === "stopping") setTimeout(refresh, 1000);
    if (state === "starting") await start();
  } catch (error) {
    showError(error);
  }
}

byId("start").addEventListener("click", () => start());
byId("fresh").addEventListener("click", startFresh);
byId("stop").addEventListener("click", stop);
refresh();
