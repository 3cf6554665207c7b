// Alerts: the live list, and what stands behind them: rules, deliveries, silences.

import { ask, button, element, lazy, showError, toast } from "./dom.js";
import { add, decide, fetchAlerts, own } from "./realtime-api.js";
import { ALERT_TABS, instanceAddress } from "./realtime-address.js";
import { amend, go, here } from "./realtime-here.js";
import { listen } from "./realtime-live.js";
import { openMenu } from "./menu.js";
import { plural } from "./format.js";
import { makeTabs } from "./twin-tabs.js";
import { agoWords, figure } from "./realtime-words.js";

const PAGE = 100;
const MOST = 300; // on the page, while new ones come
const LABELS = { open: "Alerts", rules: "Rules", deliveries: "Deliveries", silences: "Silences" };
const STATES = [["live", "open and acknowledged"], ["open", "open"], ["acknowledged", "acknowledged"], ["resolved", "resolved"], ["all", "all"]];
const SEVERITIES = [["", "any severity"], ["warning", "warning and above"], ["critical", "critical"]];

export async function open(place) {
  const tabs = makeTabs({ label: "Alerts", prefix: "alerts", tabs: ALERT_TABS.map((id) => ({ id, label: LABELS[id] })), onChoose: (tab) => go({ view: "alerts", tab }) });
  place.append(tabs.list, tabs.panel);
  let part = null;
  let tab = "";
  async function show() {
    if (here.tab === tab) return part?.move?.();
    part?.close?.();
    part = null;
    tab = here.tab;
    tabs.choose(tab);
    const box = element("div", {});
    tabs.panel.replaceChildren(box);
    const mine = tab;
    const opened = tab === "open" ? alertList(box) : await lazy(() => import("./realtime-alert-things.js")).then(({ openThings }) => openThings(box, mine));
    if (tab === mine) part = opened;
    else opened?.close?.();
    return undefined;
  }
  await show();
  return { move: () => { show().catch(showError); }, close: () => part?.close?.() };
}

// Also at an instance's own page, with its model and id.
export function alertList(box, { model = "", instance = "", brief = false } = {}) {
  const chosen = new Set();
  const filtered = () => ({ state: here.words.state || "live", severity: here.words.severity || "", model: model || here.words.model || "", instance: instance || here.words.instance || "" });
  const list = element("ul", { class: "tw-alerts", "aria-label": "Alerts" });
  const none = element("div", { class: "tw-empty", hidden: true });
  const problem = element("p", { class: "alert alert-danger", role: "alert", hidden: true });
  const connection = element("p", { class: "tw-note", role: "status", hidden: true }, "The connection was lost; trying again. What is shown may be old.");
  const count = element("span", { class: "tw-quiet", role: "status" });
  const all = element("input", { type: "checkbox", class: "form-check-input", "aria-label": "Select all alerts" });
  const many = element("span", { class: "tw-tools", hidden: true }, button("Acknowledge", () => does("acknowledge", [...chosen]), { kind: "primary" }), button("Resolve", () => does("resolve", [...chosen])));
  const more = button("Show more", () => look(list.childElementCount), { kind: "link", hidden: true });
  const select = (label, name, options) => {
    const made = element("select", { class: "form-select form-select-sm", "aria-label": label }, ...options.map(([value, words]) => element("option", { value, selected: value === (name === "state" ? filtered().state : filtered()[name]) }, words)));
    made.addEventListener("change", () => amend({ [name]: made.value === "live" ? "" : made.value }));
    return made;
  };
  const word = element("input", { class: "form-control form-control-sm", type: "search", placeholder: "Model", "aria-label": "Only of this model", value: filtered().model, autocomplete: "off" });
  word.addEventListener("change", () => amend({ model: word.value.trim() }));
  box.append(...(brief ? [] : [element("div", { class: "tw-bar tw-bar-quiet" }, element("label", { class: "tw-tick" }, all, "all"), many, select("State", "state", STATES), select("Severity", "severity", SEVERITIES), word, count)]),
    problem, connection, none, list, more);

  let asked = 0;
  async function look(offset = 0) {
    asked += 1;
    const mine = asked;
    const { alerts, total, live } = await fetchAlerts({ ...filtered(), offset, limit: brief ? 20 : PAGE });
    if (mine !== asked) return;
    if (!offset) {
      list.replaceChildren();
      chosen.clear();
    }
    for (const alert of alerts) list.append(lineOf(alert));
    more.hidden = list.childElementCount >= total || brief;
    count.textContent = `${plural(total, "alert")}${typeof live === "object" && live ? ` · ${Object.entries(live).filter(([, n]) => n).map(([name, n]) => `${figure(n)} ${name}`).join(", ")}` : ""}`;
    shown();
  }

  const again = () => look().then(() => { problem.hidden = true; }).catch((error) => {
    problem.textContent = error.message;
    problem.hidden = false;
  });

  function shown() {
    none.hidden = list.childElementCount > 0;
    if (!none.hidden) {
      const plain = filtered().state === "live" && !filtered().severity;
      none.replaceChildren(element("p", { class: "h5" }, plain ? "All is quiet" : "No alert fits"), element("p", {}, brief ? "No alert of this instance is open." : plain ? "Models raise alerts in their code; under Rules you can have one raised when a condition on the state holds." : "Choose other words above."));
    }
    many.hidden = chosen.size === 0;
    all.checked = chosen.size > 0 && chosen.size === list.childElementCount;
  }

  function lineOf(alert) {
    const tick = element("input", { type: "checkbox", class: "form-check-input", checked: chosen.has(alert.id), "aria-label": `Select: ${alert.text}` });
    tick.addEventListener("change", () => {
      tick.checked ? chosen.add(alert.id) : chosen.delete(alert.id);
      shown();
    });
    const silence = button("Silence …", () => openMenu(silence, silences(alert), { label: "Silence" }), { "aria-haspopup": "menu", "aria-label": `Silence ${alert.instance}` });
    const details = alert.details && JSON.stringify(alert.details) !== "{}" && JSON.stringify(alert.details) !== "null" ? element("details", {}, element("summary", {}, "Details"), element("pre", { class: "tw-reply" }, JSON.stringify(alert.details, null, 1))) : null;
    return element("li", { class: "tw-alert", "data-alert": alert.id, "data-severity": alert.severity, "data-state": alert.state }, brief ? null : tick,
      element("div", { class: "tw-alert-words" },
        element("p", {}, element("span", { class: "tw-severity", "data-severity": alert.severity }, alert.severity), " ", element("strong", {}, alert.text)),
        element("p", { class: "tw-quiet" }, brief ? null : element("a", { "data-go": true, href: instanceAddress(alert.model, alert.instance) }, `${alert.model} ${alert.instance}`), brief ? "" : " · ", alert.key, alert.rule ? " · by a rule" : "", " · ", agoWords(alert.last_s), alert.count > 1 ? ` · ${figure(alert.count)} times` : "", alert.silenced ? " · silenced" : "",
          alert.state === "open" ? "" : ` · ${alert.state}${alert.by ? ` by ${alert.by}` : ""}${alert.note ? `: ${alert.note}` : ""}`), details),
      element("span", { class: "tw-tools" }, alert.state === "open" ? button("Acknowledge", () => does("acknowledge", [alert.id]), { kind: "outline-primary", "aria-label": `Acknowledge: ${alert.text}` }) : null, alert.state === "resolved" ? null : silence));
  }

  const silences = (alert) => [["For an hour", 3600], ["For a day", 86_400], ["For a week", 604_800]].flatMap(([label, seconds]) => [{ label: `${label}: this instance`, run: () => silenceIt(alert, seconds, alert.instance) }, { label: `${label}: all of ${alert.model}`, run: () => silenceIt(alert, seconds, "*") }]);

  async function silenceIt({ model: of, key }, seconds, which) {
    const made = await ask({ title: "Silence", text: `'${key}' of ${which === "*" ? `all instances of ${of}` : which} is kept in the list, and not delivered, for ${seconds / 3600} h.`, fields: [{ name: "reason", label: "Why (optional)" }], confirm: "Silence", submit: ({ reason }) => add("silences", { model: of, instance: which, key, seconds, reason }) });
    if (made) toast("Silenced. Under Silences it can be ended.");
  }

  async function does(verb, ids) {
    try {
      const { changed } = await decide(verb, ids);
      chosen.clear();
      changed.forEach((alert) => take(alert));
      list.querySelectorAll("input:checked").forEach((tick) => { tick.checked = false; });
      shown();
    } catch (error) {
      showError(error);
    }
  }

  function fits(alert) {
    const { state, severity, model: of, instance: which } = filtered();
    const ranks = { note: 0, warning: 1, critical: 2 };
    return (state === "all" || (state === "live" ? alert.state !== "resolved" : alert.state === state)) && (!severity || ranks[alert.severity] >= ranks[severity]) && (!of || of === alert.model) && (!which || which === alert.instance);
  }

  // One that is new or has changed: in its place, or at the top.
  function take(alert) {
    const old = list.querySelector(`[data-alert="${alert.id}"]`);
    if (!fits(alert)) old?.remove();
    else if (old) {
      const had = old.contains(document.activeElement);
      const line = lineOf(alert);
      old.replaceWith(line);
      if (had) line.querySelector("button, input")?.focus();
    } else {
      list.prepend(lineOf(alert));
      if (list.childElementCount > MOST) {
        chosen.delete(Number(list.lastElementChild.dataset.alert));
        list.lastElementChild.remove();
      }
    }
    shown();
  }

  all.addEventListener("change", () => {
    list.querySelectorAll(":scope > li").forEach((line) => (all.checked ? chosen.add(Number(line.dataset.alert)) : chosen.delete(Number(line.dataset.alert))));
    list.querySelectorAll("input[type=checkbox]").forEach((tick) => { tick.checked = all.checked; });
    shown();
  });
  again();
  let lost = false;
  const end = listen(`${own("alerts/stream")}`, { events: ["alert", "reload"], onData: (content, event) => (event === "alert" ? take(content.alert) : again()), onState: (state) => {
    connection.hidden = state === "live";
    if (state === "live" && lost) again();
    lost = state !== "live";
  } });
  return { move: again, close: end };
}
