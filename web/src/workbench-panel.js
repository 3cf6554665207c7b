// One workspace on the Workbench: its state, what it uses, why it ended, and what can be done with it.

import { requestJson } from "./api.js";
import { ask, button, element, showError, toast } from "./dom.js";
import { askToKeep, formatWhen } from "./keep.js";
import { askHow } from "./workbench-start.js";
import { makeUsage } from "./workbench-usage.js";
import { profileWords, STATES } from "./workbench-words.js";
import { followStart, startWorkspace, stopWorkspace } from "./workspace.js";

export function makePanel(server, { refresh, context }) {
  const own = server === "";
  const id = own ? "" : `-${server}`;
  const of = own ? "" : ` ${server}`;
  const state = element("strong", { id: `state${id}`, class: "tw-badge", role: "status" }, "…");
  const profile = element("p", { class: "text-body-secondary small m-0" });
  const bar = element("progress", { max: 100, value: 0, "aria-labelledby": `progress-text${id}` });
  const text = element("span", { id: `progress-text${id}`, role: "status" });
  const steps = element("div", { class: "tw-wide", hidden: true }, bar, " ", text);
  const failure = element("p", { id: own ? "failure" : null, class: "alert alert-danger tw-wide", role: "alert", hidden: true });
  const end = element("div", { class: "alert alert-warning tw-wide", hidden: true });
  const usage = makeUsage();
  usage.node.classList.add("tw-wide");
  const labelled = (label) => (own ? {} : { "aria-label": `${label}${of}` });
  const buttons = {
    start: button("Start", () => start(), { kind: "primary", ...labelled("Start") }),
    how: button("Start with …", chooseAndStart, labelled("Start with another profile or container:")),
    open: element("a", { class: "btn btn-primary btn-sm", ...labelled("Open") }, "Open"),
    keep: button("Keep it running …", keep, labelled("Keep running:")),
    stop: button("Stop", stop, { kind: "outline-danger", ...labelled("Stop") }),
    remove: button("Remove", remove, { kind: "outline-danger", ...labelled("Remove") }),
  };
  for (const one of Object.values(buttons)) one.hidden = true;
  const head = element("div", { class: "tw-who" },
    element("div", {}, own ? "Your workspace is " : element("span", {}, "Workspace ", element("strong", {}, server), " is "), state), profile);
  const node = element("section", { class: "tw-panel tw-state", "aria-label": own ? "Your workspace" : `Workspace ${server}` },
    head, element("div", { class: "tw-tools" }, ...Object.values(buttons)), steps, failure, end, usage.node);
  let workspace = null;
  let starting = false;

  function show(next, { profiles, longest_keep_hours: longest }) {
    workspace = next;
    const chosen = profiles.find(({ name }) => name === next.profile);
    const shown = starting ? "starting" : next.state;
    if (state.textContent !== STATES[shown]) state.textContent = STATES[shown] ?? shown;
    state.dataset.state = shown;
    profile.textContent = chosen ? `${profiles.length > 1 ? `Profile '${chosen.name}'${chosen.description ? ` (${chosen.description})` : ""}: ` : ""}${profileWords({ ...chosen, image: next.variant })}` : "";
    buttons.start.hidden = buttons.how.hidden = shown !== "stopped";
    buttons.open.hidden = buttons.stop.hidden = shown !== "ready";
    buttons.open.href = next.tools[0].address ?? "#";
    buttons.keep.hidden = shown !== "ready" || longest <= 0 || next.stop_reason !== "idle";
    buttons.remove.hidden = own || shown !== "stopped";
    steps.hidden = shown !== "starting";
    usage.show({ ...next, state: shown }, chosen);
    showEnd(shown === "stopped" ? next.last_end : null);
    if (next.state === "starting" && !starting) follow(() => followStart(step, server));
  }

  function showEnd(last) {
    end.hidden = !last || !failure.hidden;
    if (last) end.replaceChildren(element("strong", {}, last.what), ` ${last.fix} `, element("small", {}, `(${formatWhen(last.at)})`));
  }

  function step(percent, message) {
    bar.value = percent;
    text.textContent = message;
  }

  async function follow(work) {
    starting = true;
    failure.hidden = true;
    step(0, "Asking for it …");
    show(workspace, context());
    try {
      await work();
    } catch (error) {
      failure.textContent = error.message;
      failure.hidden = false;
    }
    starting = false;
    await refresh();
  }

  const start = (options = {}) => follow(() => startWorkspace(step, { ...options, server }));

  async function chooseAndStart() {
    const chosen = await askHow(workspace, context());
    if (chosen) await start(chosen);
  }

  async function keep() {
    const { longest_keep_hours: longestHours } = context();
    if (await askToKeep(server, { longestHours, kept: workspace.keep_until })) await refresh();
  }

  async function stop() {
    const twins = own ? await requestJson("GET", "/app/api/twins/").then((content) => content.twins, () => []) : [];
    const running = twins.filter((twin) => twin.running.length).map((twin) => twin.name);
    const words = running.length ? `These twins run and would be ended: ${running.join(", ")}.` : "Open notebooks and terminals end, and twins that run in it; files and what you installed stay.";
    if (!(await ask({ title: own ? "Stop the workspace?" : `Stop '${server}'?`, text: words, confirm: "Stop it", danger: true }))) return;
    await stopWorkspace(server).catch(showError);
    await refresh();
  }

  async function remove() {
    const words = "Its container goes, and with it what you installed with apt. Its home folder is put aside: making a workspace of the same name brings it back. Your files in /workspace stay.";
    if (!(await ask({ title: `Remove '${server}'?`, text: words, confirm: "Remove it", danger: true }))) return;
    await stopWorkspace(server, { remove: true }).then(() => {
      toast(`Removed '${server}'.`, { action: "Undo", onAction: () => startWorkspace(() => {}, { server, profile: workspace.profile }).catch(showError).then(refresh), seconds: 15 });
    }, showError);
    await refresh();
  }

  return { node, show };
}
