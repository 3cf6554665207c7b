// The form of a question: filter, groups, measures, how many. Used by the query builder and by widgets.

import { button, element } from "./dom.js";
import { MEASURES, groupable, isNumber, measurable, questionProblem, tidy } from "./realtime-question.js";
import { whereInput } from "./realtime-where.js";

const MOST_GROUPS = 3;
const MOST_MEASURES = 6;
const EVERY = [["", "each value"], ["60", "by minute"], ["3600", "by hour"], ["86400", "by day"]];

export class QuestionForm {
  constructor({ fields, question = {}, onChange = () => {} }) {
    Object.assign(this, { fields, onChange });
    this.groups = structuredClone(question.group_by ?? []);
    this.measures = structuredClone(question.measures ?? [{ of: "count" }]);
    this.top = question.top?.n ?? "";
    this.where = whereInput({ value: question.where ?? "", fields, onUse: () => this.changed() });
    this.groupBox = element("div", { class: "tw-rows-form" });
    this.measureBox = element("div", { class: "tw-rows-form" });
    const most = element("input", { class: "form-control form-control-sm", type: "number", min: "1", max: "1000", value: this.top, placeholder: "all" });
    most.addEventListener("change", () => {
      this.top = most.value;
      this.changed();
    });
    this.node = element("div", { class: "tw-question" },
      part("Only instances where", this.where.node), part("Group by", this.groupBox), part("Measures", this.measureBox),
      element("label", { class: "tw-question-part" }, element("span", { class: "tw-question-label" }, "Show the highest"), most));
    this.drawGroups();
    this.drawMeasures();
  }

  changed() {
    this.onChange(this.read());
  }

  read() {
    const n = Number(this.top);
    const top = Number.isInteger(n) && n > 0 && this.groups.length ? { measure: nameOf(this.measures[0]), n } : null;
    return tidy({ where: this.where.get(), group_by: this.groups, measures: this.measures, top });
  }

  problem() {
    return questionProblem({ measures: this.measures });
  }

  drawGroups() {
    const fields = groupable(this.fields);
    const rows = this.groups.map((group, at) => {
      const known = this.fields.find(({ name }) => name === group.field);
      const detail = known && isNumber(known) ? this.bin(group) : known && ["time", "date"].includes(known.kind) ? this.every(group) : null;
      return element("div", { class: "tw-form-row" }, choose(`Group ${at + 1}`, fields.map(({ name }) => [name, name]), group.field, (field) => {
        this.groups[at] = { field };
        this.drawGroups();
        this.changed();
      }), detail, button("✕", () => {
        this.groups.splice(at, 1);
        this.drawGroups();
        this.changed();
      }, { "aria-label": `Remove the group ${group.field}` }));
    });
    const more = this.groups.length < MOST_GROUPS && fields.length ? [button(this.groups.length ? "And by …" : "Group by …", () => {
      const free = fields.find(({ name, choices, kind }) => !this.groups.some(({ field }) => field === name) && (choices || kind === "text" || kind === "boolean")) ?? fields[0];
      this.groups.push({ field: free.name });
      this.drawGroups();
      this.groupBox.querySelector(".tw-form-row:last-of-type select")?.focus();
      this.changed();
    })] : [];
    this.groupBox.replaceChildren(...rows, ...more);
  }

  bin(group) {
    const input = element("input", { class: "form-control form-control-sm", type: "number", min: "0", step: "any", value: group.bin ?? "", placeholder: "each value", "aria-label": `Width of the steps of ${group.field}` });
    input.addEventListener("change", () => {
      group.bin = Number(input.value) > 0 ? Number(input.value) : undefined;
      this.changed();
    });
    return input;
  }

  every(group) {
    return choose(`Steps of ${group.field}`, EVERY, String(group.every_s ?? ""), (value) => {
      group.every_s = value ? Number(value) : undefined;
      this.changed();
    });
  }

  drawMeasures() {
    const rows = this.measures.map((measure, at) => element("div", { class: "tw-form-row" },
      choose(`Measure ${at + 1}`, MEASURES, measure.of, (of) => {
        this.measures[at] = of === "count" ? { of } : { of, field: measurable(this.fields, of).some(({ name }) => name === measure.field) ? measure.field : measurable(this.fields, of)[0]?.name ?? "" };
        this.drawMeasures();
        this.changed();
      }),
      measure.of === "count" ? element("span", { class: "tw-quiet" }, "instances") : choose(`Field of measure ${at + 1}`, measurable(this.fields, measure.of).map(({ name }) => [name, name]), measure.field, (field) => {
        this.measures[at] = { of: measure.of, field };
        this.changed();
      }),
      this.measures.length > 1 ? button("✕", () => {
        this.measures.splice(at, 1);
        this.drawMeasures();
        this.changed();
      }, { "aria-label": `Remove measure ${at + 1}` }) : null));
    const more = this.measures.length < MOST_MEASURES ? [button("Another measure", () => {
      const field = measurable(this.fields, "avg")[0]?.name;
      this.measures.push(field ? { of: "avg", field } : { of: "count" });
      this.drawMeasures();
      this.changed();
    })] : [];
    this.measureBox.replaceChildren(...rows, ...more);
  }
}

const nameOf = ({ of, field, name }) => name || (of === "count" ? "count" : `${of}_${field}`);

const part = (label, node) => element("div", { class: "tw-question-part", role: "group", "aria-label": label }, element("span", { class: "tw-question-label" }, label), node);

function choose(label, options, value, onChange) {
  const select = element("select", { class: "form-select form-select-sm", "aria-label": label }, ...options.map(([key, words]) => element("option", { value: key, selected: key === value }, words)));
  select.addEventListener("change", () => onChange(select.value));
  return select;
}
