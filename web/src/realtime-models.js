// All models and how they are.

import { attempt, button, element, lazy, toast } from "./dom.js";
import { formatSize, plural } from "./format.js";
import { fetchModels, order } from "./realtime-api.js";
import { addressOf, go } from "./realtime-here.js";
import { poll } from "./realtime-live.js";
import { badgeOf, figure, rateWords, stateWords } from "./realtime-words.js";

const PERIOD_MS = 2000;

export async function open(place) {
  const cards = element("ul", { class: "tw-cards", "aria-label": "Models" });
  const none = element("div", { class: "tw-panel tw-empty", hidden: true },
    element("p", { class: "h5" }, "No model yet"),
    element("p", {}, "A model is a Python class: the state of one device, and what its messages do with it. Deploy one; each device that sends gets an instance of its own by itself."),
    element("p", {}, button("Deploy a model …", () => deploy(), { kind: "primary", small: false }), " ", button("See examples …", () => deploy({ examples: true }), { small: false })));
  const gone = element("section", { hidden: true, "aria-labelledby": "gone-title" });
  const problem = element("p", { class: "alert alert-danger", role: "alert", hidden: true });
  place.append(element("div", { class: "tw-bar" }, element("h2", { class: "h5 m-0" }, "Models"), button("Deploy a model …", () => deploy(), { kind: "primary" })), problem, none, cards, gone);

  async function look(signal) {
    const models = await fetchModels(signal);
    problem.hidden = true;
    const there = models.filter(({ removed_at: at }) => !at);
    none.hidden = there.length > 0;
    draw(cards, there);
    showGone(gone, models.filter(({ removed_at: at }) => at), () => look(signal));
  }

  async function deploy(wish = {}) {
    const { askToDeploy } = await lazy(() => import("./realtime-deploy.js"));
    const made = await askToDeploy(wish);
    if (made) go({ view: "models", name: made.name });
  }

  const end = poll(look, PERIOD_MS, (error) => {
    problem.textContent = error.message;
    problem.hidden = false;
  });
  return { close: end };
}

// A card is made once and then changed, so that a link keeps its focus.
function draw(cards, models) {
  const known = new Map([...cards.children].map((card) => [card.dataset.model, card]));
  for (const model of models) {
    const card = known.get(model.name) ?? makeCard(model.name);
    known.delete(model.name);
    fill(card, model);
    if (!card.isConnected) cards.append(card);
  }
  for (const card of known.values()) card.remove();
}

function makeCard(name) {
  const link = element("a", { class: "tw-twin-title", "data-go": true, href: addressOf({ name }) }, name);
  return element("li", { class: "tw-card tw-twin tw-model", "data-model": name }, element("div", { class: "tw-twin-body" },
    element("header", {}, element("h3", { class: "h5 m-0" }, link), element("span", { class: "tw-badge" })),
    element("p", { class: "tw-quiet tw-model-words" }),
    element("dl", { class: "tw-figures" })));
}

function fill(card, model) {
  const badge = card.querySelector(".tw-badge");
  badge.textContent = model.state;
  badge.dataset.state = badgeOf(model.state);
  card.querySelector(".tw-model-words").textContent = model.reason || `${stateWords(model.state)}.`;
  const words = healthOf(model);
  const list = card.querySelector("dl");
  if (list.childElementCount !== words.length) list.replaceChildren(...words.map(([label]) => element("div", {}, element("dt", {}, label), element("dd", {}))));
  words.forEach(([, value], at) => { list.children[at].lastChild.textContent = value; });
}

export function healthOf({ instances, rate, lag, memory_bytes: memory, version, latest, failures }) {
  return [
    ["Instances", figure(instances ?? 0)],
    ["Messages", rateWords(rate ?? 0)],
    ["Waiting", plural(lag ?? 0, "frame")],
    ["Memory", formatSize(memory ?? 0)],
    ["Version", latest && latest !== version ? `${version} of ${latest}` : String(version)],
    ["Put aside", figure(failures ?? 0)],
  ];
}

function showGone(place, models, again) {
  place.hidden = models.length === 0;
  const names = models.map(({ name }) => name).join();
  if (place.dataset.names === names) return;
  place.dataset.names = names;
  place.replaceChildren(element("h2", { class: "h6", id: "gone-title" }, "Deleted, can still be brought back"),
    element("ul", { class: "tw-plain" }, ...models.map(({ name }) => element("li", {}, element("code", {}, name), " ",
      button("Restore", () => attempt(async () => {
        await order(name, "restore");
        toast(`'${name}' is back.`);
        await again();
      }), { "aria-label": `Restore ${name}` })))));
}
