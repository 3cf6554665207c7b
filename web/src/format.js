// Sizes, times and paths for people.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function formatSize(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function formatDuration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

export function formatTime(seconds) {
  return new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

// A time as GraphQL gives it (ISO 8601).
export function formatDate(text) {
  return formatTime(Date.parse(text) / 1000);
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;
}

export function encodePath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

export function joinPath(...parts) {
  return parts.filter((part) => part !== "").join("/");
}

export function parentPath(path) {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function baseName(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

// The ending in small letters, without its dot: "csv"; "" when there is none.
export function endingOf(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

const KINDS = {
  image: ["png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "avif"],
  table: ["csv", "tsv"],
  model: ["fmu", "mo", "slx", "step", "stp", "stl", "ssp", "onnx"],
  archive: ["zip", "gz", "tar", "tgz", "xz", "7z", "bz2", "zst"],
  code: ["py", "m", "jl", "c", "cpp", "h", "js", "sh", "ipynb", "r", "rs", "java"],
  data: ["json", "yaml", "yml", "toml", "xml", "parquet", "h5", "hdf5", "mat", "npy"],
  text: ["md", "txt", "rst", "log", "pdf", "ini", "cfg"],
};

// What a file is for people, by its ending alone; only for its picture.
export function kindOf(name) {
  const ending = endingOf(name);
  return Object.keys(KINDS).find((kind) => KINDS[kind].includes(ending)) ?? "file";
}

// A name beside one that is taken: "plot.png" becomes "plot (2).png".
export function besideName(name, taken) {
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let number = 2; ; number += 1) {
    const candidate = `${stem} (${number})${ending}`;
    if (!taken.has(candidate)) return candidate;
  }
}

// Why a name cannot be used, or "" when it can.
export function nameProblem(name) {
  if (name.trim() === "") return "Type a name.";
  if (name === "." || name === "..") return `'${name}' cannot be a name.`;
  if (name.includes("/")) return "A name cannot hold '/'.";
  if (new TextEncoder().encode(name).length > 255) return "The name is longer than 255 bytes.";
  return "";
}

// Terminal colours and movements, which a page shows as noise.
export function stripAnsi(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])/g, "");
}
