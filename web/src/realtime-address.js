// The Real-time page's addresses: what is looked at can be linked, and the back button works.
//
//   /app/realtime                                    models
//   /app/realtime/models/Turbine/instances?where=…   one model, one tab
//   /app/realtime/models/Turbine/instances/WT-7      one instance
//   /app/realtime/query?model=…                      a question
//   /app/realtime/dashboards/Grid                    a dashboard
//   /app/realtime/alerts/rules                       alerts, rules, deliveries

const ROOT = "/app/realtime";
export const VIEWS = ["models", "dashboards", "query", "alerts"];
export const MODEL_TABS = ["overview", "instances", "map", "send", "devices", "dead-letters", "versions"];
export const ALERT_TABS = ["open", "rules", "deliveries", "silences"];

const TABS = { models: MODEL_TABS, alerts: ALERT_TABS };

export function parseRealtimeAddress(pathname, search) {
  const parts = pathname.slice(ROOT.length).split("/").filter(Boolean).map(decode);
  const view = VIEWS.includes(parts[0]) ? parts[0] : "models";
  const words = Object.fromEntries(new URLSearchParams(search));
  if (view === "alerts") return { view, name: "", tab: chosen(view, parts[1]), id: "", words };
  const name = parts[1] ?? "";
  if (view !== "models" || !name) return { view, name, tab: "", id: "", words };
  const tab = chosen(view, parts[2]);
  return { view, name, tab, id: tab === "instances" ? (parts[3] ?? "") : "", words };
}

export function realtimeAddress({ view = "models", name = "", tab = "", id = "", words = {} }) {
  const parts = [];
  if (view !== "models" || name) parts.push(view);
  if (name) parts.push(name);
  if (tab && tab !== TABS[view]?.[0]) parts.push(tab);
  if (tab && id) parts.push(id);
  const search = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  return `${[ROOT, ...parts.map(encodeURIComponent)].join("/")}${search.size ? `?${search}` : ""}`;
}

export const instanceAddress = (name, id, words = {}) => realtimeAddress({ view: "models", name, tab: "instances", id, words });

const chosen = (view, tab) => (TABS[view].includes(tab) ? tab : TABS[view][0]);

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
