// On every page: a workspace that is about to be stopped, a disk that is nearly full, a program ended for want of memory.

import { byId, element } from "./dom.js";
import { formatSize } from "./format.js";
import { formatWhen, leftWords } from "./keep.js";

const PERIOD_MS = 30_000;
const HIDDEN_PERIOD_MS = 120_000;
const RECENT_MS = 15 * 60_000;
const dismissed = new Set(JSON.parse(sessionStorage.getItem("tw-dismissed") ?? "[]"));
const title = document.title;
let shown = "";
let timer = 0;

// Words of all notices: { key, kind, text, server, until }.
export function noticesOf({ workspaces }, now = Date.now()) {
  const notices = [];
  for (const { server, warned, stop_reason: reason, stops_at: at, usage, last_oom_at: oom } of workspaces) {
    const name = server ? `workspace '${server}'` : "workspace";
    if (warned && at) {
      const idle = reason === "idle";
      const text = idle ? `Nobody seems to use your ${name}: it stops at ${formatWhen(at)}.` : `Your ${name} has run as long as it may: it stops at ${formatWhen(at)}. Save your work.`;
      notices.push({ key: `stop ${server} ${reason}`, kind: "warning", text, server, until: at, keep: idle });
    }
    if (usage) {
      const over = usage.disk_bytes > usage.disk_limit_bytes;
      const text = `Your ${name} takes ${formatSize(usage.disk_bytes)} on disk, of ${formatSize(usage.disk_limit_bytes)}. ${over ? "It is stopped when it grows further: delete" : "At the limit it is stopped: delete"} what you do not need.`;
      notices.push({ key: `disk ${server} ${over}`, kind: over ? "danger" : "warning", text, server });
    }
    if (oom && now - Date.parse(oom) < RECENT_MS) {
      notices.push({ key: `oom ${server} ${oom}`, kind: "danger", text: `A program in your ${name} was ended at ${formatWhen(oom)}, because the workspace ran out of memory.`, server, closable: true });
    }
  }
  return notices.filter(({ key }) => !dismissed.has(key));
}

function dismiss(key) {
  dismissed.add(key);
  sessionStorage.setItem("tw-dismissed", JSON.stringify([...dismissed]));
}

function line(notice, longestHours) {
  const left = notice.until ? element("span", { class: "tw-left", "aria-hidden": "true", "data-until": notice.until }, `in ${leftWords(notice.until)}`) : null;
  const actions = element("span", { class: "tw-tools" });
  // Only our own pages may write; the hub's lead to the Workbench.
  if (notice.keep && longestHours > 0 && document.querySelector('meta[name="xsrf-token"]')) {
    actions.append(element("button", { class: "btn btn-sm btn-outline-secondary", type: "button", onclick: async () => {
      const { askToKeep } = await import("./keep.js");
      if (await askToKeep(notice.server, { longestHours })) look();
    } }, "Keep it running …"));
  }
  if (location.pathname !== "/app/workbench") actions.append(element("a", { class: "btn btn-sm btn-outline-secondary", href: "/app/workbench" }, "Workbench"));
  const box = element("div", { class: `tw-notice alert alert-${notice.kind}`, role: "alert" }, element("span", {}, notice.text, left ? " " : null, left), actions);
  if (notice.closable) {
    actions.append(element("button", { class: "btn-close", type: "button", "aria-label": "Dismiss", onclick: () => { dismiss(notice.key); box.remove(); } }));
  }
  return box;
}

function show(content) {
  const notices = noticesOf(content);
  const words = JSON.stringify(notices);
  // A screen reader reads a line when it appears, so what has not changed is left alone.
  if (words !== shown) byId("banner").replaceChildren(...notices.map((notice) => line(notice, content.longest_keep_hours)));
  else byId("banner").querySelectorAll("[data-until]").forEach((left) => { left.textContent = `in ${leftWords(left.dataset.until)}`; });
  shown = words;
  const first = notices.find(({ until }) => until);
  const plain = document.title.replace(/^\(stops in [^)]*\) /, "");
  document.title = first ? `(stops in ${leftWords(first.until)}) ${plain || title}` : plain;
}

export async function look() {
  clearTimeout(timer);
  try {
    const answer = await fetch("/app/api/notices", { redirect: "error" });
    if (answer.ok) show(await answer.json());
  } catch {
    // The network is gone for a moment; the page itself says so where it matters.
  }
  // A page in the background still warns, by its title.
  timer = setTimeout(look, document.visibilityState === "visible" ? PERIOD_MS : HIDDEN_PERIOD_MS);
}

document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") look(); });
look();
