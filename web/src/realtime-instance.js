// One instance: its fields live, a plot, its last events and alerts, and a message to it by hand.

import { element, showError } from "./dom.js";
import { plural } from "./format.js";
import { fetchFields, fetchHistory, fetchInstance, fetchModel, instanceApi } from "./realtime-api.js";
import { alertList } from "./realtime-alerts.js";
import { addressOf } from "./realtime-here.js";
import { listen } from "./realtime-live.js";
import { messageForm } from "./realtime-message-form.js";
import { LivePlot } from "./realtime-plot.js";
import { isNumber } from "./realtime-question.js";
import { agoWords, figure, flat } from "./realtime-words.js";

const EVENTS_MS = 4000;
const FLASH_MS = 900;

export async function open(place, { name, id }) {
  const [model, fields, first] = await Promise.all([fetchModel(name), fetchFields(name), fetchInstance(name, id).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  })]);
  const told = element("p", { class: "tw-quiet m-0", role: "status" });
  const note = element("p", { class: "tw-note", role: "status", hidden: true });
  const list = element("dl", { class: "tw-state-list" });
  const events = element("ol", { class: "tw-events", "aria-label": "Last events" });
  const plotBox = element("div", {});
  const alertBox = element("div", {});
  const form = messageForm(model, { instance: () => id, onSent: () => again() });
  place.append(element("div", { class: "tw-twin-head" }, element("a", { class: "tw-back", "data-go": true, href: addressOf({ name, tab: "instances" }) }, `← Instances of ${name}`),
    element("div", { class: "tw-twin-name" }, element("h2", { class: "h4 m-0" }, id)), told), note,
  element("div", { class: "tw-two tw-instance" },
    element("div", {}, part("State", list), part("Plot", plotBox)),
    element("div", {}, part("Send a message", form.node), part("Alerts", alertBox), part("Last events", events))));

  const known = new Map(fields.map((field) => [field.name, field]));
  const plot = new LivePlot(plotBox, { names: fields.filter((field) => isNumber(field) && !["partition", "id"].includes(field.name) && !field.name.endsWith(".count")).map((field) => field.name), units: known, history: (asked, signal) => fetchHistory(name, id, asked, signal) });
  const lines = new Map();

  function show(content) {
    note.hidden = Boolean(content);
    if (!content) {
      note.textContent = `'${id}' has sent nothing yet: its first message makes the instance.`;
      return;
    }
    const { state, time_s: time, version } = content;
    told.textContent = `version ${version ?? model.version}${time ? ` · changed ${agoWords(time)}` : ""}`;
    const values = flat(state);
    for (const [field, value] of values) {
      const line = lines.get(field) ?? makeLine(field);
      const text = figure(value);
      if (line.dataset.value === text) continue;
      if (line.dataset.value !== undefined) flash(line);
      line.dataset.value = text;
      if (value && typeof value === "object") showMany(line, value);
      else line.textContent = text;
    }
    for (const [field, line] of lines) if (!values.has(field)) line.textContent = line.dataset.value = "–";
    if (time) plot.add(time, values);
  }

  function makeLine(field) {
    const unit = known.get(field)?.unit;
    const value = element("span", { class: "tw-state-value" });
    list.append(element("div", {}, element("dt", {}, field), element("dd", {}, value, unit ? element("span", { class: "tw-unit" }, unit) : null)));
    lines.set(field, value);
    return value;
  }

  function showEvents(found = []) {
    events.replaceChildren(...(found.length ? found.map((event) => element("li", {}, element("span", { class: "tw-quiet" }, agoWords(event.time_s)), " ", event.text ?? event.kind ?? "", event.details && Object.keys(event.details).length ? element("code", {}, JSON.stringify(event.details)) : null)) : [element("li", { class: "tw-quiet" }, "No event yet. Handlers write them with context.log_event.")]));
  }

  let timer = 0;
  let closed = false;
  async function again() {
    clearTimeout(timer);
    try {
      const content = await fetchInstance(name, id);
      showEvents(content.events);
      show(content);
    } catch (error) {
      if (error.status !== 404) told.textContent = error.message;
    }
    if (!closed) timer = setTimeout(() => (document.visibilityState === "visible" ? again() : undefined), EVENTS_MS);
  }
  const seen = () => document.visibilityState === "visible" && again();
  document.addEventListener("visibilitychange", seen);

  show(first);
  showEvents(first?.events);
  plot.start().catch(showError);
  const alerts = alertList(alertBox, { model: name, instance: id, brief: true });
  const end = listen(instanceApi(name, id, "stream"), { events: ["state", "missing", "trouble"], onData: (content, event) => {
    if (event === "trouble") told.textContent = `${content.error.what} ${content.error.fix}`;
    else show(event === "missing" ? null : content);
  } });
  timer = setTimeout(again, EVENTS_MS);
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      end();
      alerts.close();
      plot.close();
    },
    move: () => {},
  };
}

// A list, as how many it has, and all of it behind that.
function showMany(line, value) {
  const open = line.querySelector("details")?.open ?? false;
  const count = Object.keys(value).length;
  line.replaceChildren(count ? element("details", { open }, element("summary", {}, plural(count, "entry", "entries")), element("pre", { class: "tw-reply" }, JSON.stringify(value, null, 1))) : "none");
}

const part = (title, ...content) => element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, title), ...content);

function flash(line) {
  line.classList.add("tw-flash");
  setTimeout(() => line.classList.remove("tw-flash"), FLASH_MS);
}
