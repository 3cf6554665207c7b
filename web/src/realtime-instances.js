// All instances of a model: filtered, sorted, in pages, with chosen columns.

import { button, element, showError } from "./dom.js";
import { plural } from "./format.js";
import { fetchFields, fetchInstances } from "./realtime-api.js";
import { instanceAddress } from "./realtime-address.js";
import { amend, here } from "./realtime-here.js";
import { whereInput } from "./realtime-where.js";
import { figure } from "./realtime-words.js";

const PAGE = 50;
const FIRST_COLUMNS = 7;
const AGAIN_MS = 3000;

export async function open(box, { model }) {
  const fields = await fetchFields(model.name);
  const shownFields = fields.filter(({ name }) => name !== "id" && name !== "partition");
  const asked = () => {
    const { where = "", sort = "", page = "0", fields: chosen = "" } = here.words;
    const names = chosen.split(",").filter((name) => fields.some((field) => field.name === name));
    return { where, sort, page: Math.max(0, Number.parseInt(page, 10) || 0), columns: names.length ? names : shownFields.filter(({ why }) => !why).slice(0, FIRST_COLUMNS).map(({ name }) => name) };
  };
  const filter = whereInput({ value: asked().where, fields, onUse: (where) => amend({ where, page: "" }, { replace: false }) });
  const problem = element("p", { class: "alert alert-danger", role: "alert", hidden: true });
  const count = element("span", { role: "status" });
  const note = element("p", { class: "tw-note", role: "status", hidden: true });
  const head = element("thead", {});
  const body = element("tbody", {});
  const table = element("div", { class: "tw-scroll tw-panel tw-flush", tabindex: "0", role: "region", "aria-label": "Instances" }, element("table", { class: "tw-list tw-instances" }, head, body));
  const none = element("div", { class: "tw-panel tw-empty", hidden: true });
  const before = button("← Before", () => turn(-1));
  const next = button("Next →", () => turn(1));
  const columns = element("details", { class: "tw-columns" }, element("summary", { class: "btn btn-sm btn-outline-secondary" }, "Columns"), element("div", { class: "tw-columns-list", role: "group", "aria-label": "Columns" }));
  box.append(element("div", { class: "tw-filter-line" }, filter.node, columns), problem, note, none, table,
    element("div", { class: "tw-bar tw-bar-quiet" }, count, element("span", { class: "tw-tools ms-auto" }, before, next)));

  let control = null;
  let timer = 0;
  let closed = false;

  const turn = (by) => amend({ page: String(asked().page + by) }, { replace: false });

  async function look() {
    clearTimeout(timer);
    control?.abort();
    control = new AbortController();
    const { where, sort, page, columns: names } = asked();
    try {
      const answer = await fetchInstances(model.name, { where, sort, offset: page * PAGE, limit: PAGE, fields: names }, control.signal);
      problem.hidden = true;
      draw(answer, names, sort, page, where);
    } catch (error) {
      if (error.name === "AbortError") return;
      problem.textContent = error.message;
      problem.hidden = false;
    }
    if (!closed) timer = setTimeout(() => (document.visibilityState === "visible" ? look() : again()), AGAIN_MS);
  }
  const again = () => { timer = setTimeout(look, AGAIN_MS); };

  function draw({ total, instances, missing_partitions: missing = [] }, names, sort, page, where) {
    note.hidden = missing.length === 0;
    note.textContent = `${plural(missing.length, "partition")} did not answer: the list is incomplete.`;
    count.textContent = total ? `${(page * PAGE + 1).toLocaleString("en-GB")}–${Math.min(total, (page + 1) * PAGE).toLocaleString("en-GB")} of ${plural(total, "instance")}` : "";
    before.disabled = page === 0;
    next.disabled = (page + 1) * PAGE >= total;
    table.hidden = instances.length === 0;
    none.hidden = instances.length > 0;
    if (!instances.length) {
      none.replaceChildren(...(where ? [element("p", { class: "h5" }, "No instance fits"), element("p", {}, "Change the filter, or ", button("show all", () => { filter.set(""); amend({ where: "", page: "" }); }, { kind: "link" }))]
        : [element("p", { class: "h5" }, "No instance yet"), element("p", {}, "The first message of a device makes its instance. Under Send stands how devices do that.")]));
    }
    drawHead(names, sort);
    const had = document.activeElement?.closest?.("tr[data-id]")?.dataset.id;
    body.replaceChildren(...instances.map(({ id, fields: values }) => element("tr", { "data-id": id }, element("th", { scope: "row" }, element("a", { class: "tw-name", "data-go": true, href: instanceAddress(model.name, id, here.words.owner ? { owner: here.words.owner } : {}) }, id)),
      ...names.map((name) => cell(values[name])))));
    if (had) body.querySelector(`tr[data-id="${CSS.escape(had)}"] a`)?.focus();
  }

  const cell = (value) => element("td", { class: typeof value === "number" ? "tw-number" : null }, figure(value));

  function drawHead(names, sort) {
    const words = JSON.stringify([names, sort]);
    if (head.dataset.words === words) return;
    head.dataset.words = words;
    const had = document.activeElement?.dataset?.sort;
    head.replaceChildren(element("tr", {}, ...["id", ...names].map((name) => {
      const way = sort === name ? "ascending" : sort === `-${name}` ? "descending" : null;
      const unit = fields.find((field) => field.name === name)?.unit;
      const press = () => amend({ sort: way === "ascending" ? `-${name}` : way === "descending" ? "" : name, page: "" });
      return element("th", { scope: "col", "aria-sort": way }, element("button", { type: "button", class: "tw-sort", "data-sort": name, onclick: press }, name === "id" ? "Instance" : name, unit ? element("span", { class: "tw-unit-small" }, unit) : null, element("span", { "aria-hidden": "true" }, way === "ascending" ? "▲" : way === "descending" ? "▼" : "")));
    })));
    if (had) head.querySelector(`[data-sort="${CSS.escape(had)}"]`)?.focus();
  }

  function choices() {
    const chosen = new Set(asked().columns);
    columns.lastChild.replaceChildren(...shownFields.map(({ name, why }) => {
      const tick = element("input", { type: "checkbox", class: "form-check-input", checked: chosen.has(name), disabled: Boolean(why) });
      tick.addEventListener("change", () => {
        tick.checked ? chosen.add(name) : chosen.delete(name);
        amend({ fields: shownFields.map((field) => field.name).filter((one) => chosen.has(one)).join(",") });
      });
      return element("label", { class: "tw-tick", title: why || name }, tick, name);
    }));
  }

  choices();
  look().catch(showError);
  return {
    move: () => {
      if (filter.input !== document.activeElement) filter.set(asked().where);
      look().catch(showError);
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      control?.abort();
    },
  };
}
