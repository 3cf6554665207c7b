// What the service tells by itself (server-sent events), and what is asked for again where there are too many of them.

import { showError } from "./dom.js";
import { aggregate, modelApi, owner, words } from "./realtime-api.js";
import { applyChanges } from "./realtime-question.js";

// A browser holds six connections to a site without HTTP/2; some must stay free for questions.
const MOST_STREAMS = 3;
const POLL_MS = 2000;
const PATIENCE_MS = 4000;
const RETRY_MS = 3000;
let open = 0;

// Calls onData(content, event) for each message, also of the named `events`; onState("live" | "waiting"). Gives a function that ends it.
// A page in the background lets go of its connection, as another one may need it.
export function listen(address, { onData, onState = () => {}, events = [] }) {
  let source = null;
  let again = 0;
  let patience = 0;
  const close = () => {
    clearTimeout(again);
    clearTimeout(patience);
    if (source) open -= 1;
    source?.close();
    source = null;
  };
  const lost = () => {
    const gone = source?.readyState === EventSource.CLOSED;
    if (!patience) patience = setTimeout(() => onState("waiting"), PATIENCE_MS);
    if (!gone) return; // the browser tries again by itself
    close();
    patience = setTimeout(() => onState("waiting"), PATIENCE_MS);
    again = setTimeout(start, RETRY_MS);
  };
  function start() {
    if (source || document.visibilityState !== "visible") return;
    open += 1;
    source = new EventSource(address);
    source.onopen = () => {
      clearTimeout(patience);
      patience = 0;
      onState("live");
    };
    const take = (event) => onData(JSON.parse(event.data), event.type);
    source.onmessage = take;
    for (const name of events) source.addEventListener(name, take);
    source.onerror = lost;
  }
  const seen = () => (document.visibilityState === "visible" ? start() : close());
  document.addEventListener("visibilitychange", seen);
  start();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    close();
  };
}

// Asks again and again, never twice at a time; a refusal is given to onError and ends nothing.
export function poll(ask, period, onError = showError) {
  const control = new AbortController();
  let timer = 0;
  const turn = async () => {
    if (document.visibilityState === "visible") {
      try {
        await ask(control.signal);
      } catch (error) {
        if (error.name !== "AbortError") onError(error);
      }
    }
    if (!control.signal.aborted) timer = setTimeout(turn, period);
  };
  turn();
  return () => {
    control.abort();
    clearTimeout(timer);
  };
}

const shared = new Map();

// The answer to a question about a model, now and whenever it changes; the same question is asked once for all.
export function watchAggregate(model, question, { onAnswer, onError }) {
  const key = JSON.stringify([owner(), model, question]);
  const one = shared.get(key) ?? startWatch(key, model, question);
  const listener = { onAnswer, onError };
  one.listeners.add(listener);
  if (one.last) onAnswer(one.last);
  return () => {
    one.listeners.delete(listener);
    if (one.listeners.size) return;
    one.end();
    shared.delete(key);
  };
}

function startWatch(key, model, question) {
  const one = { listeners: new Set(), last: null, end: () => {} };
  shared.set(key, one);
  const answered = (answer) => {
    one.last = answer;
    for (const { onAnswer } of [...one.listeners]) onAnswer(answer);
  };
  const failed = (error) => {
    for (const { onError } of [...one.listeners]) onError(error);
  };
  const told = (content, event) => {
    if (event === "groups") answered(applyChanges(one.last, content));
    else if (content.error) failed(new Error(`${content.error.what} ${content.error.fix ?? ""}`.trim()));
  };
  const control = new AbortController();
  let end = () => control.abort();
  one.end = () => end();
  // The first answer comes from a question, as only that says in words what is wrong with it.
  aggregate(model, question, control.signal).then((answer) => {
    answered(answer);
    if (control.signal.aborted) return;
    const address = `${modelApi(model, "aggregate/stream")}${words({ query: JSON.stringify(question) })}`;
    end = open < MOST_STREAMS ? listen(address, { onData: told, events: ["groups", "trouble"] }) : poll(async (signal) => answered(await aggregate(model, question, signal)), POLL_MS, failed);
  }).catch((error) => {
    if (error.name !== "AbortError") failed(error);
  });
  return one;
}
