// A map that is kept up to date: asks for all points again and again, and says what is missing.

import { element } from "./dom.js";
import { plural } from "./format.js";
import { fetchPoints } from "./realtime-api.js";
import { poll } from "./realtime-live.js";
import { PointMap } from "./realtime-map.js";

const PERIOD_MS = 2000;
const PERIOD_MANY_MS = 5000;
const MANY = 5000;

export function liveMap({ model, x, y, value, where = "", label, onChoose }) {
  const map = new PointMap({ label, onChoose });
  const note = element("p", { class: "tw-quiet m-0", role: "status" });
  const node = element("div", {}, map.node, note);
  let last = 0;
  let count = 0;
  const end = poll(async (signal) => {
    if (count > MANY && performance.now() - last < PERIOD_MANY_MS) return;
    const { ids, columns, missing_partitions: missing = [] } = await fetchPoints(model, { x, y, fields: value || null, where }, signal);
    last = performance.now();
    count = ids.length;
    map.show({ ids, x: columns[x], y: columns[y], values: value ? columns[value] : ids.map(() => "instance") });
    const parts = [];
    if (!ids.length) parts.push("No instance to show yet.");
    if (map.points.left) parts.push(`${plural(map.points.left, "instance")} without a place.`);
    if (missing.length) parts.push(`${plural(missing.length, "partition")} did not answer: some are missing.`);
    note.classList.remove("text-danger");
    note.textContent = parts.join(" ");
  }, PERIOD_MS, (error) => {
    note.classList.add("text-danger");
    note.textContent = error.message;
  });
  return {
    node,
    map,
    close: () => {
      end();
      map.close();
    },
  };
}
