// Fetches a table and thins it for a plot, beside the page so that it never stands still.

import { CsvReader, Numbers, between, decimate, isRising, numberOf } from "./csv.js";

const MOST_BYTES = 50_000_000;
const MOST_POINTS = 2000;
let columns = [];
let count = 0;
let order = new Map();

async function load({ address, delimiter, skip }) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  let rows = 0;
  const reader = new CsvReader(delimiter, (cells) => {
    rows += 1;
    if (rows <= skip) return;
    if (!columns.length) columns = cells.map(() => new Numbers());
    columns.forEach((column, index) => column.push(numberOf(cells[index] ?? "")));
  });
  let bytes = 0;
  const stream = answer.body.getReader();
  const text = new TextDecoder();
  for (;;) {
    const { done, value } = await stream.read();
    if (done) break;
    bytes += value.length;
    reader.feed(text.decode(value, { stream: true }));
    if (bytes > MOST_BYTES) {
      await stream.cancel();
      break;
    }
    postMessage({ progress: bytes });
  }
  reader.end();
  count = columns[0]?.length ?? 0;
  return { rows: count, cut: bytes > MOST_BYTES };
}

// x: a column, or -1 for the row's number. Values that do not rise are put in order once.
function along(x) {
  if (x < 0) return { values: Float64Array.from({ length: count }, (_, row) => row + 1), rows: null };
  if (!order.has(x)) {
    const values = columns[x].values.subarray(0, count);
    const rows = isRising(values, count) ? null : Uint32Array.from({ length: count }, (_, row) => row).filter((row) => !Number.isNaN(values[row])).sort((a, b) => values[a] - values[b]);
    order.set(x, { values: rows ? Float64Array.from(rows, (row) => values[row]) : values, rows });
  }
  return order.get(x);
}

function draw({ x, lines, low, high }) {
  const { values, rows } = along(x);
  const length = values.length;
  const drawn = lines.map((line) => {
    const all = columns[line].values;
    return rows ? Float64Array.from(rows, (row) => all[row]) : all.subarray(0, count);
  });
  const [first, last] = low === undefined ? [0, length] : between(values, length, low, high);
  const kept = decimate(drawn, first, last, MOST_POINTS);
  return { data: [values, ...drawn].map((line) => Float64Array.from(kept, (row) => line[row])), points: kept.length, of: last - first };
}

addEventListener("message", async ({ data: { id, task, ...wish } }) => {
  try {
    postMessage({ id, result: task === "load" ? await load(wish) : draw(wish) });
  } catch (error) {
    postMessage({ id, error: error.message });
  }
});
