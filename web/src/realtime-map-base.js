// Land and borders below the points, from Natural Earth's data, which come with the page: nothing is asked of others.

import { feature, mesh } from "topojson-client";
import { mercatorX, mercatorY } from "./realtime-map-core.js";

// Paths are made in these units, as canvases compute with short numbers.
const UNITS = 4096;
const FINE_FROM = 5000;
const known = new Map();

const load = {
  coarse: () => import("world-atlas/countries-110m.json"),
  fine: () => import("world-atlas/countries-50m.json"),
};

// What is to be drawn at a scale; the finer one comes when it is there, `onReady` tells.
export function baseFor(scale, onReady) {
  const wanted = scale > FINE_FROM ? "fine" : "coarse";
  if (!known.has(wanted)) {
    known.set(wanted, null);
    load[wanted]().then(({ default: atlas }) => {
      known.set(wanted, shapesOf(atlas));
      onReady();
    }).catch(() => known.delete(wanted)); // points can be read without it
  }
  return known.get(wanted) ?? known.get("coarse") ?? null;
}

function shapesOf(atlas) {
  const land = feature(atlas, atlas.objects.land);
  const polygons = (land.features ?? [land]).flatMap(({ geometry }) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates));
  const borders = mesh(atlas, atlas.objects.countries, (one, other) => one !== other).coordinates;
  return { land: polygons.map((rings) => shape(rings, true)), borders: borders.map((line) => shape([line], false)) };
}

function shape(lines, closed) {
  const path = new Path2D();
  const box = { west: 1, east: 0, north: 1, south: 0 };
  for (const line of lines) {
    line.forEach(([longitude, latitude], at) => {
      const x = mercatorX(longitude);
      const y = mercatorY(latitude);
      Object.assign(box, { west: Math.min(box.west, x), east: Math.max(box.east, x), north: Math.min(box.north, y), south: Math.max(box.south, y) });
      at ? path.lineTo(x * UNITS, y * UNITS) : path.moveTo(x * UNITS, y * UNITS);
    });
    if (closed) path.closePath();
  }
  return { path, ...box };
}

export function drawBase(context, shapes, view, { width, height }, { land, border }) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  if (!shapes) return;
  const by = view.scale / UNITS;
  const [west, east] = [-view.x / view.scale, (width - view.x) / view.scale];
  const [north, south] = [-view.y / view.scale, (height - view.y) / view.scale];
  const seen = (one) => one.west < east && one.east > west && one.north < south && one.south > north;
  context.setTransform(by, 0, 0, by, view.x, view.y);
  context.fillStyle = land;
  for (const one of shapes.land) if (seen(one)) context.fill(one.path, "evenodd");
  context.strokeStyle = border;
  context.lineWidth = 1 / by;
  for (const one of shapes.borders) if (seen(one)) context.stroke(one.path);
  context.setTransform(1, 0, 0, 1, 0, 0);
}
