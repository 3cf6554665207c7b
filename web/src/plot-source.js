// Where a plot's numbers come from: the workspace's server, which thins a table out to what can be seen, or the page.

import { requestJson } from "./api.js";
import { encodePath } from "./format.js";

// A CSV below a twin's outputs.
export function tableSource({ api, twin, path }) {
  const address = api(`${encodeURIComponent(twin)}/outputs/${encodePath(path)}/series`);
  const ask = (words, signal) => {
    const search = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== null && value !== undefined));
    return requestJson("GET", `${address}?${search}`, { signal });
  };
  return {
    describe: (x, signal) => ask({ x }, signal),
    // A comma divides the names of columns, so a name that has one is asked for by itself.
    async read({ x, columns, from, to, points }, signal) {
      const plain = columns.filter((name) => !name.includes(","));
      const groups = [plain.join(","), ...columns.filter((name) => name.includes(","))].filter(Boolean);
      const answers = await Promise.all(groups.map((group) => ask({ x, columns: group, from, to, points }, signal)));
      return Object.assign({}, ...answers, { series: Object.assign({}, ...answers.map(({ series }) => series)) });
    },
  };
}

// Numbers that the page has already, as of a sweep: [{name, values}].
export function valuesSource(columns) {
  const byName = new Map(columns.map(({ name, values }) => [name, values]));
  const rows = Math.max(0, ...columns.map(({ values }) => values.length));
  const along = (x) => byName.get(x) ?? Array.from({ length: rows }, (_, row) => row);
  const describe = (x = columns[0]?.name ?? null) => {
    const order = along(x).toSorted((a, b) => a - b);
    const kinds = columns.map(({ name, values }) => ({ name, kind: values.some((value) => typeof value === "string") ? "text" : "number" }));
    return { columns: kinds, rows_total: rows, x_column: byName.has(x) ? x : null, x_range: rows ? [order[0], order.at(-1)] : null };
  };
  return {
    describe: async (x) => describe(x ?? undefined),
    async read({ x, columns: wanted, from, to }) {
      const axis = along(x);
      const kept = axis.map((_, row) => row).filter((row) => (from ?? -Infinity) <= axis[row] && axis[row] <= (to ?? Infinity)).sort((a, b) => axis[a] - axis[b]);
      const series = Object.fromEntries(wanted.map((name) => [name, { values: kept.map((row) => byName.get(name)?.[row] ?? null) }]));
      return { ...describe(x), rows: kept.length, x: kept.map((row) => axis[row]), series };
    },
  };
}
