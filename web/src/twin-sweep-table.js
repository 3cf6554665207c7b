// The table of a sweep: what was varied, and what came out, one row per run.

const MOST_LINES = 8;

// Give {columns, rows} of the workspace's table, without what stands in the page's own columns.
export function columnsOf({ table }) {
  const kept = table.columns.map((name, at) => [name, at]).filter(([name]) => name !== "run" && name !== "state");
  return { columns: kept.map(([name]) => name), rows: table.rows.map((row) => kept.map(([, at]) => row[at] ?? null)) };
}

// Parameters that are not the same in all runs.
export function varied(runs) {
  const names = [...new Set(runs.flatMap(({ parameters }) => Object.keys(parameters ?? {})))];
  return names.filter((name) => new Set(runs.map(({ parameters }) => JSON.stringify(parameters?.[name]))).size > 1);
}

// Which columns can be drawn: along what, and what came out; how long a run took comes last.
export function numericColumns({ columns, rows }, { runs }) {
  const inputs = new Set(varied(runs));
  const parameters = new Set(runs.flatMap(({ parameters: given }) => Object.keys(given ?? {})));
  const isNumeric = (_, at) => rows.some((row) => typeof row[at] === "number") && rows.every((row) => row[at] === null || typeof row[at] === "number");
  const numeric = columns.filter(isNumeric);
  const results = numeric.filter((name) => !parameters.has(name));
  return { inputs: numeric.filter((name) => inputs.has(name)), results: [...results.filter((name) => name !== "duration_s"), ...results.filter((name) => name === "duration_s")] };
}

// The result that is shown first: one that differs between the runs, and is not how long they took.
export function tellingResult({ columns, rows }, results) {
  const differs = (name) => new Set(rows.map((row) => row[columns.indexOf(name)]).filter((value) => value !== null)).size > 1;
  return results.find((name) => name !== "duration_s" && differs(name)) ?? results[0] ?? "";
}

// Lines to draw, one for each choice of what else was varied; runs that have not ended yet have no point.
export function linesOf({ columns, rows }, { runs, x, y }) {
  const [at, of] = [columns.indexOf(x), columns.indexOf(y)];
  const others = varied(runs).filter((name) => name !== x);
  const lines = new Map();
  rows.forEach((row, index) => {
    if (typeof row[at] !== "number" || typeof row[of] !== "number") return;
    const label = others.map((name) => `${name} = ${runs[index].parameters[name]}`).join(", ");
    lines.set(label, [...(lines.get(label) ?? []), [row[at], row[of]]]);
  });
  return [...lines].slice(0, MOST_LINES).map(([label, points]) => ({ label: label || y, points: points.sort((a, b) => a[0] - b[0]) }));
}

// Lines on one axis, as uPlot wants them: all x in order, a gap where a line has no point.
export function aligned(lines) {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  return [xs, ...lines.map(({ points }) => {
    const known = new Map(points);
    return xs.map((x) => known.get(x) ?? null);
  })];
}
