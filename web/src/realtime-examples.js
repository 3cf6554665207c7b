// The demos that every workspace has, with what to type to see them.

import { button, element, toast } from "./dom.js";

const FOLDER = "/opt/twinhub/examples/realtime";
const EXAMPLES = [
  ["wind_turbine", "Wind turbines", "Too hot or too slow for too long; sooner an alert when maintenance is near.", "-n 10000 --pace 1"],
  ["power_grid", "Power grid", "20,000 nodes on the map, levels of attention by region, and a storm after half a minute.", "-n 20000 --pace 10"],
  ["gas_sensor", "Gas sensors", "Bad air for long, or very bad at once: an alert, and the command to shut the valve.", "-n 1000 --pace 1"],
  ["truck_fleet", "Truck fleet", "Trucks on the map, and what a dispatcher must hear of, also when one says nothing any more.", "-n 2000 --pace 30"],
  ["refrigerators", "Refrigerators", "When food is no longer safe to eat, also when power fails.", "-n 5000 --pace 60"],
  ["contact_tracing", "Contact tracing", "30,000 people; a positive test reaches all who met within seconds.", "-n 30000 --pace 60 --set tested_positive_s=18000"],
  ["windmill", "Windmills of parts", "Blades, gearbox and generator with twins of their own, which report to their windmill.", "-n 1000 --pace 10"],
];

export const commands = (name, fleet) => [`cd ${FOLDER}/${name}`, "realtime deploy .", `realtime simulate simulator.py --to websocket ${fleet}`].join("\n");

export function exampleList() {
  return element("div", { class: "tw-deploy-way" },
    element("p", { class: "tw-quiet m-0" }, "In a terminal of your workspace, these deploy a model with its dashboard and send as its devices would."),
    element("ul", { class: "tw-things tw-example-list", tabindex: "0", "aria-label": "Examples" }, ...EXAMPLES.map(([name, title, words, fleet]) => element("li", {},
      element("div", {}, element("p", {}, element("strong", {}, title), " ", element("span", { class: "tw-quiet" }, words)), element("pre", { class: "tw-reply" }, commands(name, fleet))),
      button("Copy", () => copy(commands(name, fleet)), { "aria-label": `Copy what deploys ${title}` })))));
}

async function copy(text) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  toast(done ? "Copied. Paste it into a terminal of your workspace." : "The browser does not let the page copy. Select the text and press Ctrl+C.");
}
