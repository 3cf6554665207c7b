// Colours and weights that programs ask of a terminal (SGR), made readable on light and on dark.

export const PLAIN = Object.freeze({ fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false });

const ON = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike", 21: "underline" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };
const BASIC = [0x000000, 0xc62828, 0x2e7d32, 0xb7950b, 0x1565c0, 0x8e24aa, 0x00838f, 0xd0d0d0, 0x757575, 0xef5350, 0x66bb6a, 0xfdd835, 0x42a5f5, 0xba68c8, 0x26c6da, 0xffffff];
const STEPS = [0, 95, 135, 175, 215, 255];
const PAGES = { light: 0xfbfcfe, dark: 0x151b23 };
const readableAlready = new Map();

export function keyOf(style) {
  return Object.values(style).join();
}

// A colour is a number: below 256 of the palette, else 0x1000000 and its red, green, blue.
export function withCodes(style, parameters) {
  if (/[^0-9;:]/.test(parameters)) return style; // a private sequence
  const codes = parameters.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  const made = { ...style };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 38 || code === 48) {
      const [colour, used] = colourOf(codes, at + 1, parameters.includes(":"));
      if (colour !== null) made[code === 38 ? "fg" : "bg"] = colour;
      at += used;
    } else change(made, code);
  }
  return made;
}

function change(style, code) {
  if (code === 0) Object.assign(style, PLAIN);
  else if (ON[code]) style[ON[code]] = true;
  else if (OFF[code]) OFF[code].forEach((name) => { style[name] = false; });
  else if (code >= 30 && code <= 37) style.fg = code - 30;
  else if (code >= 90 && code <= 97) style.fg = code - 82;
  else if (code >= 40 && code <= 47) style.bg = code - 40;
  else if (code >= 100 && code <= 107) style.bg = code - 92;
  else if (code === 39) style.fg = null;
  else if (code === 49) style.bg = null;
}

function colourOf(codes, at, colons) {
  if (codes[at] === 5) return [codes[at + 1] <= 255 ? codes[at + 1] : null, 2];
  if (codes[at] !== 2) return [null, 1];
  // With colons a colour space may stand before the three numbers.
  const skip = colons && codes.length - at > 4 ? 1 : 0;
  const parts = codes.slice(at + 1 + skip, at + 4 + skip);
  const valid = parts.length === 3 && parts.every((part) => part <= 255);
  return [valid ? 0x1000000 + parts[0] * 65536 + parts[1] * 256 + parts[2] : null, 4 + skip];
}

export function rgbOf(colour) {
  if (colour >= 0x1000000) return colour - 0x1000000;
  if (colour < 16) return BASIC[colour];
  if (colour >= 232) return (8 + (colour - 232) * 10) * 0x010101;
  const place = colour - 16;
  return STEPS[Math.floor(place / 36)] * 65536 + STEPS[Math.floor(place / 6) % 6] * 256 + STEPS[place % 6];
}

// Put a style on an element. The sixteen colours with names are the page's own; others are set to what can be read.
export function dress(target, style) {
  const names = ["bold", "dim", "italic", "underline", "strike"].filter((name) => style[name]).map((name) => `tw-log-${name}`);
  let { fg, bg } = style;
  if (style.inverse) {
    [fg, bg] = [bg, fg];
    if (bg === null) [fg] = [null, names.push("tw-log-inverse")];
  }
  if (bg !== null) {
    target.style.backgroundColor = hex(rgbOf(bg));
    target.style.color = hex(onto(fg === null ? null : rgbOf(fg), rgbOf(bg)));
  } else if (fg !== null && fg < 16) names.push(`tw-log-c${fg}`);
  else if (fg !== null) {
    names.push("tw-log-rgb");
    target.style.setProperty("--tw-on-light", hex(readable(rgbOf(fg), PAGES.light)));
    target.style.setProperty("--tw-on-dark", hex(readable(rgbOf(fg), PAGES.dark)));
  }
  target.className = names.join(" ");
}

function onto(colour, page) {
  if (colour !== null && contrast(colour, page) >= 3) return colour;
  return contrast(0, page) > contrast(0xffffff, page) ? 0 : 0xffffff;
}

// The nearest colour towards black or white that can be read on a page (4.5 to 1, as WCAG 2 wants).
export function readable(colour, page) {
  const key = colour * 2 + (page === PAGES.dark ? 1 : 0);
  if (!readableAlready.has(key)) {
    if (readableAlready.size > 20_000) readableAlready.clear();
    const goal = luminance(page) > 0.5 ? 0 : 0xffffff;
    let part = 0;
    while (part < 1 && contrast(mix(colour, goal, part), page) < 4.5) part += 0.05;
    readableAlready.set(key, mix(colour, goal, Math.min(1, part)));
  }
  return readableAlready.get(key);
}

export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

function luminance(colour) {
  const [red, green, blue] = parts(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(one, other, share) {
  const ends = parts(other);
  return parts(one).reduce((sum, part, at) => sum * 256 + Math.round(part + (ends[at] - part) * share), 0);
}

const hex = (colour) => `#${colour.toString(16).padStart(6, "0")}`;
