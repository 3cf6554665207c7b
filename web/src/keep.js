// "Keep it running until …": the choices, and asking for one.

import { ask, showError, toast } from "./dom.js";
import { keepWorkspace } from "./workspace.js";

const HOUR_MS = 3_600_000;

function at(now, days, hours) {
  const time = new Date(now);
  time.setDate(time.getDate() + days);
  time.setHours(hours, 0, 0, 0);
  return time;
}

// What may be chosen now: label and time; nothing that lies beyond what the platform allows.
export function keepChoices(now, longestHours) {
  const choices = [["1 hour", new Date(now.getTime() + HOUR_MS)], ["4 hours", new Date(now.getTime() + 4 * HOUR_MS)]];
  const tonight = at(now, 0, 22);
  if (tonight - now > HOUR_MS) choices.push(["Tonight, 22:00", tonight]);
  choices.push(["Tomorrow, 8:00", at(now, 1, 8)]);
  return choices.filter(([, time]) => time - now <= longestHours * HOUR_MS);
}

// For an <input type="datetime-local">, which knows no time zones.
export function localInput(time) {
  const two = (number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:${two(time.getMinutes())}`;
}

export function formatWhen(text, now = new Date()) {
  const time = new Date(text);
  const sameDay = time.toDateString() === now.toDateString();
  return time.toLocaleString(undefined, sameDay ? { timeStyle: "short" } : { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

export function leftWords(text, now = Date.now()) {
  const seconds = Math.max(0, (Date.parse(text) - now) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
}

// Asks until when; gives whether something was changed.
export async function askToKeep(server, { longestHours, kept }) {
  const now = new Date();
  const known = keepChoices(now, longestHours);
  const name = server ? `'${server}'` : "your workspace";
  const answer = await ask({
    title: `Keep ${name} running until …`,
    text: `Until then it is not stopped for being idle. At most ${longestHours} hours from now.`,
    fields: [{ name: "own", label: "Another time", type: "datetime-local", value: localInput(new Date(now.getTime() + 2 * HOUR_MS)) }],
    choices: [
      { value: "own", label: "Until that time" }, // the first: Enter in the field means it
      ...known.map(([label], index) => ({ value: String(index), label, quiet: true })),
      ...(kept ? [{ value: "none", label: "No longer", danger: true }] : []),
      { value: "cancel", label: "Cancel", quiet: true },
    ],
    submit: async ({ own }, choice) => {
      if (choice === "cancel") return;
      const time = choice === "none" ? null : choice === "own" ? new Date(own) : known[Number(choice)][1];
      if (time && Number.isNaN(time.getTime())) throw new Error("Choose a day and a time.");
      const { keep_until: until } = await keepWorkspace(server, time && time.toISOString());
      toast(until ? `Kept until ${formatWhen(until)}.` : "No longer kept: it stops when it is idle.");
    },
  }).catch(showError);
  return Boolean(answer) && answer.choice !== "cancel";
}
