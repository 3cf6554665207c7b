// The arithmetic of the map: places in arrays of numbers, colours by value, stamping and finding points.
// The world is a square from 0 to 1 (web Mercator); a view is {scale, x, y}: pixels of the world's width, and its offset.

const STEPS = 7;
const MOST_CATEGORIES = 12;
const HIGHEST_LATITUDE = 85.05;

// From quiet to loud, each seen on a light and on a dark page; and colours for kinds, after Okabe and Ito.
export const SCALE = ["#8296ab", "#4f86c6", "#2a8f9d", "#2fae7b", "#a9b52a", "#e8901a", "#d6322d"];
export const KINDS = ["#2f7fd1", "#e5872a", "#1f9e77", "#d1498b", "#a88a00", "#7a5fd0", "#d6453d", "#3aa6b9", "#8a6d5c", "#6f8f2f", "#c06fd0", "#7b8794"];

export const mercatorX = (longitude) => (longitude + 180) / 360;
export function mercatorY(latitude) {
  const held = Math.max(-HIGHEST_LATITUDE, Math.min(HIGHEST_LATITUDE, latitude)) * (Math.PI / 180);
  return (1 - Math.log(Math.tan(held) + 1 / Math.cos(held)) / Math.PI) / 2;
}

// What each value's colour is: {of(value) -> index, entries: [{label, colour, from?, to?}]}.
export function colouring(values) {
  const seen = new Set();
  let numbers = 0;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (typeof value === "number" && Number.isFinite(value)) {
      numbers += 1;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (seen.size <= MOST_CATEGORIES) seen.add(value);
  }
  const whole = numbers > 0 && numbers === values.length;
  if (whole && seen.size > STEPS && high > low) {
    const integers = values.every(Number.isInteger);
    // Where most have the lowest value, such as 0 for "nothing is wrong", it has a colour of its own.
    return byRange(low, high, integers, integers && values.filter((value) => value === low).length * 2 > values.length);
  }
  const known = [...seen].sort((one, other) => (one > other) - (one < other)).slice(0, MOST_CATEGORIES);
  const places = new Map(known.map((value, at) => [value, at]));
  const colours = whole ? spread(known.length) : KINDS;
  const entries = known.map((value, at) => ({ label: value === null || value === undefined ? "(none)" : String(value), colour: colours[at], value }));
  return { of: (value) => places.get(value) ?? known.length - 1, entries, ordered: whole };
}

const spread = (count) => Array.from({ length: count }, (_, at) => SCALE[count === 1 ? 0 : Math.round((at * (SCALE.length - 1)) / (count - 1))]);

function byRange(low, high, integers, lowestApart) {
  const width = (high - low) / STEPS;
  const rest = (high - low - 1) / (STEPS - 1);
  const edge = (at) => (lowestApart && at > 0 ? low + 1 + Math.ceil((at - 1) * rest) : integers ? Math.ceil(low + at * width) : Number((low + at * width).toPrecision(4)));
  const entries = SCALE.map((colour, at) => {
    const to = at === STEPS - 1 ? high : edge(at + 1) - (integers ? 1 : 0);
    return { label: integers && edge(at) >= to ? String(to) : `${edge(at)} – ${to}`, colour, from: edge(at), to };
  });
  return { of: (value) => Math.min(STEPS - 1, Math.floor(integers ? whichOf(value) : (value - low) / width)), entries, ordered: true };
  function whichOf(value) {
    for (let at = STEPS - 1; at > 0; at -= 1) if (value >= edge(at)) return at;
    return 0;
  }
}

// Points as arrays, in the order in which they are drawn: the highest colour last, so that it is on top.
export function arrange({ ids, x, y, values }) {
  const kept = [];
  for (let at = 0; at < ids.length; at += 1) if (Number.isFinite(x[at]) && Number.isFinite(y[at]) && x[at] !== null && y[at] !== null) kept.push(at);
  const colours = colouring(kept.map((at) => values[at]));
  const counts = new Array(colours.entries.length).fill(0);
  const index = new Uint8Array(ids.length);
  for (const at of kept) {
    index[at] = colours.of(values[at]);
    counts[index[at]] += 1;
  }
  const starts = counts.map((_, at) => counts.slice(0, at).reduce((sum, one) => sum + one, 0));
  const made = { ids: new Array(kept.length), x: new Float64Array(kept.length), y: new Float64Array(kept.length), colour: new Uint8Array(kept.length), values: new Array(kept.length), counts, entries: colours.entries, left: ids.length - kept.length };
  for (const at of kept) {
    const to = starts[index[at]]++;
    made.ids[to] = ids[at];
    made.x[to] = mercatorX(x[at]);
    made.y[to] = mercatorY(y[at]);
    made.colour[to] = index[at];
    made.values[to] = values[at];
  }
  return made;
}

// A view that shows all points with some room; the whole world when there are none.
export function fit({ x, y }, width, height) {
  if (!x.length) return { scale: width, x: 0, y: height / 2 - width / 2 };
  let [west, east, north, south] = [1, 0, 1, 0];
  for (let at = 0; at < x.length; at += 1) {
    if (x[at] < west) west = x[at];
    if (x[at] > east) east = x[at];
    if (y[at] < north) north = y[at];
    if (y[at] > south) south = y[at];
  }
  const room = 0.88;
  const scale = Math.min(2 ** 22, (room * width) / Math.max(east - west, 1e-6), (room * height) / Math.max(south - north, 1e-6));
  return { scale, x: width / 2 - (scale * (west + east)) / 2, y: height / 2 - (scale * (north + south)) / 2 };
}

export function zoomed(view, factor, atX, atY) {
  const scale = Math.max(200, Math.min(2 ** 24, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: atX - (atX - view.x) * by, y: atY - (atY - view.y) * by };
}

// The pixels of a round mark: how far each is from the middle, and how opaque.
export function disc(radius) {
  const reach = Math.ceil(radius);
  const pixels = [];
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy)));
      if (cover > 0.1) pixels.push({ dx, dy, alpha: Math.round(255 * cover) });
    }
  }
  return { reach, pixels };
}

// Writes a mark for each point into the pixels of a picture; far faster than drawing a path each.
export function stamp(buffer, { width, height }, points, view, radius, palette) {
  buffer.fill(0);
  const { reach, pixels } = disc(radius);
  const offsets = Int32Array.from(pixels, ({ dx, dy }) => dy * width + dx);
  const alphas = Uint8Array.from(pixels, ({ alpha }) => alpha);
  const count = pixels.length;
  for (let at = 0; at < points.x.length; at += 1) {
    const px = Math.round(points.x[at] * view.scale + view.x);
    const py = Math.round(points.y[at] * view.scale + view.y);
    if (px < -reach || py < -reach || px >= width + reach || py >= height + reach) continue;
    const colour = palette[points.colour[at]];
    const whole = px >= reach && py >= reach && px < width - reach && py < height - reach;
    const base = py * width + px;
    for (let one = 0; one < count; one += 1) {
      if (!whole) {
        const { dx, dy } = pixels[one];
        if (px + dx < 0 || py + dy < 0 || px + dx >= width || py + dy >= height) continue;
      }
      const place = base + offsets[one];
      const alpha = alphas[one];
      // A soft edge must not cut into the mark below it.
      if (alpha === 255 || buffer[place] >>> 24 < alpha) buffer[place] = (colour & 0x00ffffff) | (alpha << 24);
    }
  }
}

// "#rrggbb" as the bytes of a picture, least significant first: red, green, blue, opacity.
export function packed(colour) {
  const value = Number.parseInt(colour.slice(1), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >>> 16)) >>> 0;
}

// The topmost point within `reach` pixels of a place; -1 when there is none.
export function nearest(points, view, atX, atY, reach) {
  let found = -1;
  let best = reach * reach;
  for (let at = points.x.length - 1; at >= 0; at -= 1) {
    const dx = points.x[at] * view.scale + view.x - atX;
    const dy = points.y[at] * view.scale + view.y - atY;
    const far = dx * dx + dy * dy;
    if (far < best) {
      best = far;
      found = at;
    }
  }
  return found;
}

export const radiusFor = (count) => (count > 8000 ? 2.4 : count > 1500 ? 3.2 : count > 200 ? 4.2 : 6);
