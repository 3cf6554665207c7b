// The Real-time page: brings its parts together. Each part gives `open(place, here)`: it fills the place, and gives
// back {close, move?}; `move` is told of other words in the address, and may refuse them with false to be opened anew.

import "./frame.js";
import { byId, element, lazy, showError } from "./dom.js";
import { addressOf, here, start } from "./realtime-here.js";

const PARTS = {
  models: () => import("./realtime-models.js"),
  model: () => import("./realtime-model.js"),
  instance: () => import("./realtime-instance.js"),
  dashboards: () => import("./realtime-dashboards.js"),
  dashboard: () => import("./realtime-dashboard.js"),
  query: () => import("./realtime-query.js"),
  alerts: () => import("./realtime-alerts.js"),
};
const TITLES = { models: "Models", dashboards: "Dashboards", query: "Query", alerts: "Alerts" };
let shown = { key: "", part: null };

const partOf = ({ view, name, id }) => (view === "models" ? (id ? "instance" : name ? "model" : "models") : view === "dashboards" && name ? "dashboard" : view);

async function show() {
  // Tabs of a model stay within its part, which keeps what it has read.
  const part = partOf(here);
  const key = JSON.stringify([part, here.name, here.id, here.words.owner ?? ""]);
  mark();
  if (key === shown.key && shown.part?.move && shown.part.move(here) !== false) return;
  shown.part?.close?.();
  const mine = { key, part: null };
  shown = mine;
  const place = element("div", {});
  byId("view").replaceChildren(place);
  document.title = `${here.id || here.name || TITLES[here.view]} · Real-time · Twinhub`;
  try {
    const { open } = await lazy(PARTS[part]);
    if (shown !== mine) return;
    const opened = await open(place, here);
    if (shown === mine) mine.part = opened;
    else opened?.close?.();
  } catch (error) {
    if (shown === mine && error.name !== "AbortError") place.replaceChildren(refusal(error));
  }
}

function refusal(error) {
  return element("div", { class: "tw-panel" },
    element("p", { class: "alert alert-danger mb-2", role: "alert" }, error.message),
    element("a", { "data-go": true, href: addressOf({ view: here.name ? here.view : "models" }) }, here.name ? "Back to all" : "To the models"));
}

function mark() {
  for (const link of document.querySelectorAll("[data-view]")) {
    const on = link.dataset.view === here.view;
    link.classList.toggle("active", on);
    on ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    link.href = addressOf({ view: link.dataset.view });
  }
  byId("whose").hidden = !here.words.owner;
  byId("whose").textContent = `You look at what is ${here.words.owner}'s.`;
}

start(() => show().catch(showError));
