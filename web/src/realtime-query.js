// The query builder: a question about all instances of a model, its answer live, and a way onto a dashboard.

import { ask, button, element, showError, toast } from "./dom.js";
import { plural } from "./format.js";
import { fetchDashboard, fetchDashboards, fetchFields, fetchModels, saveDashboard } from "./realtime-api.js";
import { KINDS, makeChart } from "./realtime-chart.js";
import { addressOf, amend, go, here } from "./realtime-here.js";
import { watchAggregate } from "./realtime-live.js";
import { questionWords, tableOf, tidy } from "./realtime-question.js";
import { QuestionForm } from "./realtime-question-form.js";

const NEW = "\u0000new";

export async function open(place) {
  const models = (await fetchModels()).filter(({ removed_at: at }) => !at).map(({ name }) => name);
  if (!models.length) {
    place.append(element("div", { class: "tw-panel tw-empty" }, element("p", { class: "h5" }, "Nothing to ask yet"), element("p", {}, "Questions are about the instances of a model. ", element("a", { "data-go": true, href: addressOf({}) }, "Deploy one first"), ".")));
    return {};
  }
  const model = models.includes(here.words.model) ? here.words.model : models[0];
  const fields = await fetchFields(model);
  const asked = read(here.words);
  const problem = element("p", { class: "alert alert-danger", role: "alert", hidden: true });
  const facts = element("p", { class: "tw-quiet m-0", role: "status" });
  const result = element("div", { class: "tw-answer" });
  const choice = element("select", { class: "form-select form-select-sm w-auto" }, ...models.map((name) => element("option", { value: name, selected: name === model }, name)));
  choice.addEventListener("change", () => go({ view: "query", words: { model: choice.value } }));
  const form = new QuestionForm({ fields, question: asked, onChange: (question) => amend({ model, q: JSON.stringify(question) }) });
  const kinds = element("select", { class: "form-select form-select-sm w-auto", "aria-label": "Show as" }, ...KINDS.map(([kind, label]) => element("option", { value: kind, selected: kind === kindNow() }, label)));
  kinds.addEventListener("change", () => amend({ as: kinds.value }));
  place.append(element("div", { class: "tw-query" },
    element("section", { class: "tw-panel tw-part", "aria-label": "Question" }, element("label", { class: "tw-question-part" }, element("span", { class: "tw-question-label" }, "Model"), choice), form.node),
    element("section", { class: "tw-panel tw-part", "aria-label": "Answer" }, element("header", {}, kinds, element("span", { class: "tw-part-actions" }, button("Save as CSV", saveCsv), button("Add to dashboard …", () => addToDashboard().catch(showError), { kind: "primary" }))), problem, result, facts)));

  let end = () => {};
  let chart = null;
  let last = null;
  let shown = "";

  function kindNow() {
    return here.words.as || (here.words.q ? ((read(here.words).group_by ?? []).length ? "bar" : "number") : "number");
  }

  function show() {
    const question = read(here.words);
    const kind = kindNow();
    const words = JSON.stringify([question, kind]);
    kinds.value = kind;
    if (words === shown) return;
    shown = words;
    end();
    chart?.close();
    chart = null;
    end = () => {};
    last = null;
    problem.textContent = form.problem();
    problem.hidden = !problem.textContent;
    facts.textContent = "";
    result.replaceChildren();
    if (problem.textContent) return;
    chart = makeChart(kind, question, { title: questionWords(question) });
    result.replaceChildren(chart.node);
    end = watchAggregate(model, question, {
      onAnswer: (answer) => {
        last = answer;
        problem.hidden = true;
        chart?.show(answer);
        const missing = answer.missing_partitions?.length ? ` ${plural(answer.missing_partitions.length, "partition")} did not answer: the figures are incomplete.` : "";
        facts.textContent = `${plural(answer.instances ?? 0, "instance")}, ${plural(answer.groups.length, "group")}${answer.took_ms === undefined ? "" : `, ${Math.round(answer.took_ms)} ms`}. It changes by itself.${missing}`;
      },
      onError: (error) => {
        problem.textContent = error.message;
        problem.hidden = false;
      },
    });
  }

  function saveCsv() {
    if (!last) return;
    const { columns, rows } = tableOf(last, read(here.words));
    const cell = (value) => (value === null ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
    const text = [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    element("a", { href: address, download: `${model}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  async function addToDashboard() {
    const question = read(here.words);
    const { dashboards } = await fetchDashboards();
    const done = await ask({ title: "Add to a dashboard", confirm: "Add", fields: [
      { name: "title", label: "Title", value: questionWords(question) },
      { name: "where", label: "Dashboard", value: dashboards[0]?.name ?? NEW, options: [...dashboards.map(({ name, title }) => [name, title || name]), [NEW, "a new one …"]] },
      { name: "fresh", label: "Name of the new one", value: dashboards.length ? "" : "overview", hint: "Only where a new one is chosen." },
    ], submit: async ({ title, where, fresh }) => {
      const name = where === NEW ? fresh.trim() : where;
      if (!name) throw new Error("Type a name for the new dashboard.");
      const content = where === NEW ? { title: name, widgets: [] } : await fetchDashboard(name);
      await saveDashboard(name, { title: content.title, widgets: [...content.widgets, { kind: kindNow(), title, model, question, options: {} }] });
    } });
    if (done) toast("Added.", { action: "Open it", onAction: () => go({ view: "dashboards", name: done.where === NEW ? done.fresh.trim() : done.where }) });
  }

  show();
  return {
    move: () => {
      if ((here.words.model || models[0]) !== model) return false;
      // A step back in the browser's history changes the form too.
      if (JSON.stringify(form.read()) !== JSON.stringify(read(here.words))) return false;
      show();
      return true;
    },
    close: () => {
      end();
      chart?.close();
    },
  };
}

function read({ q = "" }) {
  try {
    const question = JSON.parse(q);
    return tidy({ ...question, measures: question.measures?.length ? question.measures : [{ of: "count" }] });
  } catch {
    return tidy({ measures: [{ of: "count" }] });
  }
}
