// What a running workspace uses: a bar for the eye, words for all.

import { element } from "./dom.js";
import { formatSize } from "./format.js";
import { formatWhen } from "./keep.js";
import { endWords, memoryWords } from "./workbench-words.js";

const HIGH = 0.9;

function row(label) {
  const words = element("span", { class: "tw-use-words" });
  const filled = element("div", {});
  const bar = element("div", { class: "tw-meter", "aria-hidden": "true" }, filled); // the words say the same
  const node = element("div", { class: "tw-use-row" }, element("dt", {}, label), element("dd", {}, words, bar));
  return {
    node,
    show(text, part) {
      if (words.textContent !== text) words.textContent = text;
      bar.hidden = part === null;
      filled.style.width = `${Math.min(100, 100 * (part ?? 0))}%`;
      node.dataset.high = String((part ?? 0) >= HIGH);
    },
  };
}

const share = (value, limit) => (limit && value !== null ? value / limit : null);
const nearly = (part) => (part !== null && part >= HIGH ? (part > 1 ? ": too much" : ": nearly all") : "");

export function makeUsage() {
  const rows = { memory: row("Memory"), cpu: row("Processor"), disk: row("Disk"), time: row("Time left") };
  const killed = element("p", { class: "alert alert-warning mt-2 mb-0", hidden: true });
  const node = element("div", { class: "tw-usage", hidden: true }, element("dl", { class: "tw-use" }, ...Object.values(rows).map((one) => one.node)), killed);

  function show(workspace, profile) {
    const { usage } = workspace;
    node.hidden = workspace.state !== "ready";
    if (node.hidden) return;
    rows.time.show(endWords(workspace), null);
    if (!usage) {
      for (const one of [rows.memory, rows.cpu, rows.disk]) one.show("is being measured …", null);
      killed.hidden = true;
      return;
    }
    const memory = share(usage.memory_bytes, usage.memory_limit_bytes);
    rows.memory.show(usage.memory_bytes === null ? "not known" : `${memoryWords(usage.memory_bytes)}${usage.memory_limit_bytes ? ` of ${memoryWords(usage.memory_limit_bytes)}` : ""}${nearly(memory)}`, memory);
    const cpus = usage.cpus ?? profile?.cpus ?? null;
    rows.cpu.show(usage.cpu_cores_used === null ? "is being measured …" : `${usage.cpu_cores_used.toFixed(usage.cpu_cores_used < 1 ? 2 : 1)}${cpus ? ` of ${cpus}` : ""} cores`, share(usage.cpu_cores_used, cpus));
    const disk = share(usage.disk_bytes, usage.disk_limit_bytes);
    rows.disk.show(usage.disk_bytes === null ? "is being measured …" : `${formatSize(usage.disk_bytes)}${usage.disk_limit_bytes ? ` of ${formatSize(usage.disk_limit_bytes)}` : ""}${nearly(disk)}`, disk);
    killed.hidden = !usage.oom_kills;
    if (usage.oom_kills) {
      const when = usage.last_oom_at ? ` at ${formatWhen(usage.last_oom_at)}` : "";
      killed.textContent = `A program of yours was ended${when} because the workspace ran out of memory${usage.oom_kills > 1 ? ` (${usage.oom_kills} since it started)` : ""}. Close notebooks you do not need, or choose a profile with more memory.`;
    }
  }
  return { node, show };
}
