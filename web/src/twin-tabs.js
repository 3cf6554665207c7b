// Tabs as WAI-ARIA describes them: one stop for Tab, arrow keys inside, the panel named by its tab.

import { element } from "./dom.js";

// `tabs` are {id, label, hint?}; `onChoose(id)` is told of a choice. Gives {list, panel, choose}.
export function makeTabs({ label, tabs, onChoose, prefix, quiet = false }) {
  const panel = element("div", { role: "tabpanel", class: "tw-tabpanel", id: `${prefix}-panel`, tabindex: "-1" });
  const buttons = tabs.map(({ id, label: words, hint }) => element("button", {
    type: "button", role: "tab", id: `${prefix}-${id}`, "aria-controls": panel.id, "aria-selected": "false", tabindex: "-1", title: hint ?? null, onclick: () => onChoose(id),
  }, words));
  const list = element("div", { role: "tablist", class: quiet ? "tw-tablist tw-tablist-quiet" : "tw-tablist", "aria-label": label }, ...buttons);
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = (to + buttons.length) % buttons.length;
    onChoose(tabs[next].id);
    buttons[next].focus();
  });
  const choose = (id) => tabs.forEach((tab, index) => {
    const chosen = tab.id === id;
    buttons[index].setAttribute("aria-selected", String(chosen));
    buttons[index].tabIndex = chosen ? 0 : -1;
    if (chosen) panel.setAttribute("aria-labelledby", buttons[index].id);
  });
  return { list, panel, choose };
}
