// Messages that were put aside: why, which field, what they say; sending them again, changed or as they were.

import { ask, attempt, button, element, toast } from "./dom.js";
import { plural } from "./format.js";
import { dropLetter, fetchDeadLetters, retryLetters, sendMessage } from "./realtime-api.js";
import { instanceAddress } from "./realtime-address.js";
import { poll } from "./realtime-live.js";
import { agoWords } from "./realtime-words.js";

const PERIOD_MS = 5000;
const LONGEST = 400;

export function open(box, { model }) {
  const list = element("ul", { class: "tw-letters", "aria-label": "Messages put aside" });
  const none = element("div", { class: "tw-empty", hidden: true }, element("p", { class: "h5" }, "No message was put aside"),
    element("p", {}, "Messages that do not fit the model, or whose handler failed, are kept here with the reason, and cost others nothing."));
  const all = button("Try all again", () => retry([]), { hidden: true });
  const more = button("Show older ones", () => attempt(older), { kind: "link", hidden: true });
  box.append(element("section", { class: "tw-panel tw-part" }, element("header", {}, element("h3", { class: "tw-panel-title" }, "Dead letters"), all), none, list, more));
  let shown = "";
  let next = null;

  async function look() {
    const { dead_letters: letters, next: from } = await fetchDeadLetters(model.name);
    none.hidden = letters.length > 0;
    all.hidden = letters.length === 0;
    const words = JSON.stringify(letters.map(({ position }) => position));
    if (words === shown) return;
    shown = words;
    next = from;
    more.hidden = next === null;
    list.replaceChildren(...letters.map(line));
  }

  async function older() {
    const { dead_letters: letters, next: from } = await fetchDeadLetters(model.name, next);
    next = from;
    more.hidden = next === null;
    list.append(...letters.map(line));
  }

  const retry = (positions) => attempt(async () => {
    const { sent, why = {} } = await retryLetters(model.name, positions);
    const rest = Object.entries(why).map(([reason, count]) => ` ${count} not: ${reason}.`).join("");
    toast(`${plural(sent, "message")} sent again.${rest} What does not fit comes back here.`);
    await look();
  });

  const drop = (position) => attempt(async () => {
    await dropLetter(model.name, position);
    await look();
  });

  function line({ position, instance, time_s: time, field, reason, content, again }) {
    return element("li", {}, element("div", { class: "tw-letter-head" },
      element("a", { "data-go": true, href: instanceAddress(model.name, instance) }, instance), field ? element("code", {}, field) : null, element("span", { class: "tw-quiet" }, agoWords(time)),
      element("span", { class: "tw-tools" }, !again ? null : button("Try again", () => retry([position]), { "aria-label": `Try again: the message of ${instance}` }),
        again ? button("Change …", () => changed({ position, instance, content }), { "aria-label": `Change the message of ${instance} and send it` }) : null,
        button("Throw away", () => drop(position), { kind: "outline-danger", "aria-label": `Throw away the message of ${instance}` }))),
    element("p", {}, reason), element("pre", { class: "tw-reply" }, content.length > LONGEST ? `${content.slice(0, LONGEST)} …` : content));
  }

  async function changed({ position, instance, content }) {
    const sent = await ask({ title: `Send to '${instance}'`, confirm: "Send", fields: [{ name: "content", label: "Message as JSON; change what did not fit", value: content, multiline: true, rows: 8 }],
      submit: async ({ content: typed }) => {
        let message;
        try {
          message = JSON.parse(typed);
        } catch (error) {
          throw new Error(`This is no JSON: ${error.message}`, { cause: error });
        }
        await sendMessage(model.name, instance, message, null);
        await dropLetter(model.name, position);
      } });
    if (!sent) return;
    toast(`Sent to '${instance}'.`);
    await attempt(look);
  }

  return { close: poll(look, PERIOD_MS) };
}
