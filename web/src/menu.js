// A menu beside its button: arrow keys, Escape, gone when something else is pressed.

import { element } from "./dom.js";

export function openMenu(anchor, items, { label = "Actions" } = {}) {
  const menu = element("div", { class: "tw-menu", role: "menu", popover: "auto", "aria-label": label });
  const close = () => menu.hidePopover();
  for (const item of items) {
    if (item === null) {
      menu.append(element("hr", { role: "separator" }));
      continue;
    }
    const attributes = { role: "menuitem", tabindex: "-1", class: item.danger ? "tw-danger" : null };
    const choose = () => {
      close();
      item.run?.();
    };
    menu.append(item.href
      ? element("a", { ...attributes, href: item.href, download: item.download ?? null, onclick: () => setTimeout(close) }, item.label)
      : element("button", { ...attributes, type: "button", onclick: choose }, item.label, item.key ? element("kbd", {}, item.key) : null));
  }
  menu.addEventListener("keydown", (event) => move(event, menu));
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    anchor.setAttribute?.("aria-expanded", "false");
    const inside = menu.contains(document.activeElement) || document.activeElement === document.body;
    menu.remove();
    if (inside && anchor.isConnected) anchor.focus?.();
  });
  // In a modal dialog only what is inside it can be used.
  (anchor.closest?.("dialog") ?? document.body).append(menu);
  menu.showPopover();
  place(menu, anchor.getBoundingClientRect());
  anchor.setAttribute?.("aria-expanded", "true");
  menu.querySelector("[role=menuitem]")?.focus({ preventScroll: true });
}

function place(menu, box) {
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.right - width, innerWidth - width - 8));
  const below = box.bottom + 4 + height < innerHeight;
  menu.style.left = `${left}px`;
  menu.style.top = `${Math.max(8, below ? box.bottom + 4 : Math.min(box.top, innerHeight) - height - 4)}px`;
}

function move(event, menu) {
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 }[event.key];
  const typed = event.key.length === 1 && event.key !== " " ? items.findIndex((item) => item.textContent.toLowerCase().startsWith(event.key.toLowerCase())) : -1;
  const next = to ?? (typed >= 0 ? typed : undefined);
  if (next !== undefined) {
    event.preventDefault();
    items[next].focus();
  }
  if (event.key === "Tab") menu.hidePopover();
  event.stopPropagation();
}
