// A plot as a PNG that can stand in a report: with title, names of lines, and a page behind it.

import { element, toast } from "./dom.js";

const EDGE = 16;
const LINE = 22;

export function savePicture(chart, title) {
  const { plot, shown } = chart;
  if (!plot || !shown) return;
  const drawn = plot.ctx.canvas;
  const scale = drawn.width / plot.width;
  const style = getComputedStyle(chart.area);
  const names = shown.lines.map(({ name }) => name);
  const rows = layOut(names, plot.width);
  const height = plot.height + EDGE * 2 + LINE * (1 + rows.length);
  const canvas = element("canvas", { width: Math.round((plot.width + EDGE * 2) * scale), height: Math.round(height * scale) });
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = style.getPropertyValue("--tw-surface") || "#fff";
  pen.fillRect(0, 0, plot.width + EDGE * 2, height);
  pen.fillStyle = style.color;
  pen.font = `600 15px ${style.fontFamily}`;
  pen.fillText(title, EDGE, EDGE + 14, plot.width);
  pen.drawImage(drawn, EDGE, EDGE + LINE, plot.width, plot.height);
  pen.font = `13px ${style.fontFamily}`;
  rows.forEach((row, at) => row.forEach(({ index, left }) => entry(pen, plot, { index, name: names[index], left: EDGE + left, top: EDGE + LINE + plot.height + LINE * at + 14, colour: style.color })));
  canvas.toBlob((blob) => {
    if (!blob) {
      toast("The browser cannot make a picture of this.", { kind: "error" });
      return;
    }
    const link = element("a", { href: URL.createObjectURL(blob), download: `${title.replaceAll("/", "-")}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }, "image/png");
}

// Names side by side, as many in a row as fit.
function layOut(names, width) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "13px sans-serif";
  const rows = [[]];
  let left = 0;
  names.forEach((name, index) => {
    const takes = Math.min(width, pen.measureText(name).width + 60);
    if (left + takes > width && rows.at(-1).length) {
      rows.push([]);
      left = 0;
    }
    rows.at(-1).push({ index, left });
    left += takes;
  });
  return rows;
}

function entry(pen, plot, { index, name, left, top, colour }) {
  const series = plot.series[index + 1];
  pen.strokeStyle = typeof series.stroke === "function" ? series.stroke(plot, index + 1) : series.stroke;
  pen.lineWidth = 2;
  pen.setLineDash(series.dash ?? []);
  pen.beginPath();
  pen.moveTo(left, top - 4);
  pen.lineTo(left + 30, top - 4);
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = colour;
  pen.fillText(name, left + 36, top, plot.width);
}
