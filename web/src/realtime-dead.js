// Messages that were put aside: why, which field, what they say; and sending one again.

import { ask, button, element, toast } from "./dom.js";
import { fetchDeadLetters, sendMessage } from "./realtime-api.js";
import { poll } from "./realtime-live.js";
import { instanceAddress } from "./realtime-address.js";
import { agoWords } from "./realtime-words.js";

const PERIOD_MS = 5000;
const LONGEST = 400;

export function open(box, { model }) {
  const list = element("ul", { class: "tw-letters", "aria-label": "Messages put aside" });
  const none = element("div", { class: "tw-empty", hidden: true }, element("p", { class: "h5" }, "No message was put aside"),
    element("p", {}, "Messages that do not fit the model, or whose handler failed, are kept here with the reason, and cost others nothing."));
  box.append(element("section", { class: "tw-panel tw-part" }, element("h3", { class: "tw-panel-title" }, "Dead letters"), none, list));
  let shown = "";
  const end = poll(async () => {
    const letters = await fetchDeadLetters(model.name);
    none.hidden = letters.length > 0;
    const words = JSON.stringify(letters.map(({ output_id: id }) => id));
    if (words === shown) return;
    shown = words;
    list.replaceChildren(...letters.map((letter) => line(model, letter)));
  }, PERIOD_MS);
  return { close: end };
}

function line(model, letter) {
  const { instance, time_s: time, field, reason, content } = letter;
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return element("li", {}, element("div", { class: "tw-letter-head" },
    element("a", { "data-go": true, href: instanceAddress(model.name, instance) }, instance), field ? element("code", {}, field) : null, element("span", { class: "tw-quiet" }, agoWords(time)),
    button("Try again …", () => retry(model, letter, text), { "aria-label": `Try the message of ${instance} again` })),
  element("p", {}, reason), element("pre", { class: "tw-reply" }, text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text));
}

async function retry(model, { instance }, text) {
  const sent = await ask({ title: `Send to '${instance}' again`, confirm: "Send", fields: [{ name: "content", label: "Message as JSON; change what did not fit", value: text, multiline: true, rows: 8 }],
    submit: async ({ content }) => {
      let message;
      try {
        message = JSON.parse(content);
      } catch (error) {
        throw new Error(`This is no JSON: ${error.message}`, { cause: error });
      }
      await sendMessage(model.name, instance, message, null);
    } });
  if (sent) toast(`Sent to '${instance}'.`);
}
