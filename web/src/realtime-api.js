// What the Real-time page asks of its service, at /realtime; the one place that knows its addresses.

import { request, requestJson } from "./api.js";
import { here } from "./realtime-here.js";

const me = document.getElementById("realtime")?.dataset.user ?? "";
export const owner = () => here.words?.owner || me;

const part = encodeURIComponent;
export const own = (rest) => `/realtime/${part(owner())}/${rest}`;
export const modelApi = (name, rest = "") => own(`models/${part(name)}${rest && `/${rest}`}`);
export const instanceApi = (name, id, rest = "") => modelApi(name, `instances/${part(id)}${rest && `/${rest}`}`);

export function words(values) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

// --- models -----------------------------------------------------------------------

export const fetchModels = async (signal) => (await requestJson("GET", own("models"), { signal })).models;
export const fetchModel = (name, signal) => requestJson("GET", modelApi(name), { signal });
export const deploy = (bundle) => requestJson("POST", own("models"), { json: bundle });
export const order = (name, verb, json = {}) => request("POST", modelApi(name, verb), { json });
export const removeModel = (name) => request("DELETE", modelApi(name));
export const fetchDeadLetters = (name, before, limit = 100) => requestJson("GET", `${modelApi(name, "dead-letters")}${words({ limit, before })}`);
export const retryLetters = (name, positions) => requestJson("POST", modelApi(name, "dead-letters/retry"), { json: { positions } });
export const dropLetter = (name, position) => request("DELETE", `${modelApi(name, "dead-letters")}${words({ position })}`);
export const fetchCredentials = async (name) => (await requestJson("GET", modelApi(name, "credentials"))).credentials;
export const makeCredential = (name, instance) => requestJson("POST", modelApi(name, "credentials"), { json: { instance } });
export const revokeCredential = (name, instance) => request("DELETE", `${modelApi(name, "credentials")}${words({ instance })}`);
export const sendMessage = (name, id, message, wait_s = 2) => requestJson("POST", `${instanceApi(name, id, "messages")}${words({ wait_s })}`, { json: message });

// --- instances --------------------------------------------------------------------

export const fetchFields = async (name) => (await requestJson("GET", modelApi(name, "fields"))).fields;
export const fetchInstances = (name, { where, sort, offset, limit, fields }, signal) =>
  requestJson("GET", `${modelApi(name, "instances")}${words({ where, sort, offset, limit, fields: fields?.join(",") })}`, { signal });
export const fetchInstance = (name, id, signal) => requestJson("GET", instanceApi(name, id), { signal });
export const fetchHistory = (name, id, asked, signal) => requestJson("GET", `${instanceApi(name, id, "history")}${words(asked)}`, { signal });
export const aggregate = (name, question, signal) => requestJson("POST", modelApi(name, "aggregate"), { json: question, signal });
export const fetchPoints = (name, asked, signal) => requestJson("GET", `${modelApi(name, "points")}${words(asked)}`, { signal });

// --- dashboards, alerts -----------------------------------------------------------

export const fetchDashboards = () => requestJson("GET", own("dashboards"));
export const fetchDashboard = (name) => requestJson("GET", own(`dashboards/${part(name)}`));
export const saveDashboard = (name, content) => request("PUT", own(`dashboards/${part(name)}`), { json: content });
export const restoreDashboard = (name) => request("POST", own(`dashboards/${part(name)}/restore`), { json: {} });
export const removeDashboard = (name) => request("DELETE", own(`dashboards/${part(name)}`));
export const fetchAlerts = (asked, signal) => requestJson("GET", `${own("alerts")}${words(asked)}`, { signal });
export const decide = (verb, ids, note = "") => requestJson("POST", own(`alerts/${verb}`), { json: { ids, note } });
// Rules, silences, deliveries.
export const fetchAll = async (kind) => (await requestJson("GET", own(kind)))[kind];
export const add = (kind, content) => requestJson("POST", own(kind), { json: content });
export const change = (kind, id, content) => requestJson("PUT", own(`${kind}/${part(id)}`), { json: content });
export const remove = (kind, id) => request("DELETE", own(`${kind}/${part(id)}`));
export const restore = (kind, id) => request("POST", own(`${kind}/${part(id)}/restore`), { json: {} });
export const tryDelivery = (id) => requestJson("POST", own(`deliveries/${part(id)}/test`), { json: {} });
