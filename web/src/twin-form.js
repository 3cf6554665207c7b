// A form made from a twin's parameters: each value checked as it is typed, in the words of the workspace.

import { element } from "./dom.js";
import { plural } from "./format.js";
import { formatValue, limitWords, readAll, readTyped, typedOf } from "./twin-values.js";
import { me } from "./twins-here.js";

const keyOf = (twin) => `twinhub-values-${me}-${twin}`;

function remembered(twin) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(twin))) ?? {};
  } catch {
    return {};
  }
}

export class ParameterForm {
  constructor(twin, parameters, { onChange = () => {}, ranges = true, prefix = "value", memory = true } = {}) {
    Object.assign(this, { twin, parameters, onChange, ranges, prefix, memory, fields: new Map() });
    const last = memory ? remembered(twin) : {};
    this.root = element("div", { class: "tw-values" }, ...parameters.map((parameter) => this.field(parameter, last[parameter.name])));
    for (const parameter of parameters) this.check(parameter.name);
  }

  field(parameter, last) {
    const { name, unit, description, type } = parameter;
    const id = `${this.prefix}-${name}`;
    const input = this.input(parameter, id);
    const problem = element("div", { class: "tw-value-problem", id: `${id}-problem` });
    const limits = limitWords(parameter);
    const preset = parameter.default ?? null;
    const normally = preset === null ? "needed" : `default ${formatValue(preset) === "" ? "empty" : formatValue(preset)}`;
    input.setAttribute("aria-describedby", `${id}-hint ${id}-problem`);
    this.fields.set(name, { parameter, input, problem });
    this.set(name, last);
    const label = element("label", { for: id }, element("span", { class: "tw-value-name" }, name), description ? element("span", { class: "tw-value-words" }, description) : null);
    input.addEventListener(type === "boolean" || input.tagName === "SELECT" ? "change" : "input", () => {
      this.check(name);
      this.remember();
      this.onChange();
    });
    return element("div", { class: "tw-value", "data-type": type }, label,
      element("div", { class: `tw-value-input${type === "boolean" ? " form-check form-switch" : ""}` }, input, unit ? element("span", { class: "tw-unit" }, unit) : null),
      element("div", { class: "tw-value-hint", id: `${id}-hint` }, limits ? element("span", {}, limits) : null, element("span", { class: preset === null ? null : "tw-value-default" }, normally)), problem);
  }

  input({ name, type, choices, default: preset }, id) {
    const common = { id, name };
    if (type === "boolean") return element("input", { ...common, type: "checkbox", class: "form-check-input", role: "switch" });
    if (choices?.length) return element("select", { ...common, class: "form-select" }, ...choices.map((choice) => element("option", { value: choice }, choice === "" ? "(empty)" : choice)));
    const numeric = type === "real" || type === "integer";
    return element("input", { ...common, type: "text", class: "form-control", inputmode: numeric && !this.ranges ? "decimal" : null, autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: numeric ? formatValue(preset) : null });
  }

  // Text in a field as it was, or the default.
  set(name, value) {
    const { parameter, input } = this.fields.get(name);
    const text = typedOf(parameter, value);
    if (input.type === "checkbox") input.checked = text === "true";
    else if (input.tagName !== "SELECT" || parameter.choices.includes(text)) input.value = text;
  }

  typed(name) {
    const { input } = this.fields.get(name);
    return input.type === "checkbox" ? String(input.checked) : input.value;
  }

  all() {
    return Object.fromEntries([...this.fields.keys()].map((name) => [name, this.typed(name)]));
  }

  read() {
    return readAll(this.parameters, this.all());
  }

  check(name, words = null) {
    const { parameter, input, problem } = this.fields.get(name);
    const read = readTyped(parameter, this.typed(name));
    const bad = words ?? read.problem ?? (read.sweep && !this.ranges ? "Give one value; ranges are for sweeps." : "");
    problem.textContent = bad || (read.sweep ? `${plural(read.values.length, "value")}: ${read.values.slice(0, 4).join(", ")}${read.values.length > 4 ? `, … ${read.values.at(-1)}` : ""}` : "");
    problem.classList.toggle("tw-value-sweep", !bad && Boolean(read.sweep));
    input.classList.toggle("is-invalid", Boolean(bad));
    input.setAttribute("aria-invalid", String(Boolean(bad)));
    const changed = !read.missing && !read.sweep && formatValue(read.value) !== formatValue(parameter.default ?? "");
    input.closest(".tw-value")?.classList.toggle("tw-changed", changed || Boolean(read.sweep));
    return bad;
  }

  // Show all problems and go to the first; true when there is none.
  valid() {
    const bad = [...this.fields.keys()].filter((name) => this.check(name));
    const all = this.read();
    for (const [name, words] of Object.entries(all.problems)) if (!bad.includes(name)) bad.push(name) && this.check(name, words);
    if (bad.length) this.fields.get(bad[0]).input.focus();
    return bad.length === 0;
  }

  // What the workspace refused, beside the field that it names.
  refuse(error) {
    const name = [...this.fields.keys()].find((one) => error.message.includes(`'${one}'`));
    if (!name || error.code !== "parameter_refused") return false;
    this.check(name, error.message);
    this.fields.get(name).input.focus();
    return true;
  }

  use(values) {
    for (const name of this.fields.keys()) this.set(name, values[name]);
    for (const name of this.fields.keys()) this.check(name);
    this.remember();
    this.onChange();
  }

  remember() {
    if (!this.memory) return;
    const changed = Object.entries(this.all()).filter(([name, text]) => text !== typedOf(this.fields.get(name).parameter, undefined));
    if (changed.length) localStorage.setItem(keyOf(this.twin), JSON.stringify(Object.fromEntries(changed)));
    else localStorage.removeItem(keyOf(this.twin));
  }

  isChanged() {
    return [...this.fields].some(([name, { parameter }]) => this.typed(name) !== typedOf(parameter, undefined));
  }
}
