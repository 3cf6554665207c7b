// Sentences that the page says of a twin.

import { nameProblem, plural } from "./format.js";

// Words that stand where a twin's name stands in addresses.
const RESERVED = new Set(["runs", "runner", "examples", "schema", "check", "events", "sweeps", "openapi.json"]);

// What a report comes to, in one sentence.
export function summary({ findings }) {
  const count = (level) => findings.filter((finding) => finding.level === level).length;
  const [missing, warnings] = [count("missing"), count("warning")];
  if (!findings.length) return "There is nothing to check: it uses no assets and no services.";
  if (missing) return `${plural(missing, "thing")} missing${warnings ? `, ${plural(warnings, "warning")}` : ""}.`;
  return `Everything is there${warnings ? `; ${plural(warnings, "warning")}` : ""}.`;
}

export function agoWords(iso, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  const [unit, size] = seconds < 60 ? ["second", 1] : seconds < 3600 ? ["minute", 60] : seconds < 86400 ? ["hour", 3600] : ["day", 86400];
  return new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" }).format(-Math.round(seconds / size), unit);
}

// Why a twin cannot have this name, or "".
export function twinNameProblem(name, taken) {
  const problem = nameProblem(name);
  if (problem) return problem;
  if (/^[.-]/.test(name)) return `A name cannot begin with '${name[0]}'.`;
  if (name !== name.trim()) return "A name cannot begin or end with a space.";
  if (RESERVED.has(name)) return `'${name}' is a word of the programming interface. Choose another name.`;
  return taken.has(name) ? `There is a twin '${name}' already. Choose another name.` : "";
}

// A free name like the wished one: "tank", "tank-2".
export function freeName(wished, taken) {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wished : `${wished}-${number}`;
    if (!taken.has(name)) return name;
  }
}
