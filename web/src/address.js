// The Library's addresses: what is looked at can be linked, and the back button works.
//
//   /app/library/private/data/run 1?show=a.csv     a folder, with one entry's details
//   /app/library/@bob/models                       another person's, for administrators
//   /app/library/common/data?q=spring&tag=fmu      a search
//   /app/library/trash, /app/library/history

import { encodePath, joinPath } from "./format.js";

const ROOT = "/app/library";
const WORDS = ["show", "ref", "q", "in", "tag", "compare", "edit", "whose"];

export function parseAddress(pathname, search, me) {
  const parts = pathname.slice(ROOT.length).split("/").filter(Boolean).map(decode);
  const words = new URLSearchParams(search);
  const found = Object.fromEntries(WORDS.map((word) => [word, words.get(word) ?? ""]));
  if (parts.length === 1 && (parts[0] === "trash" || parts[0] === "history")) {
    return { ...found, view: parts[0], place: "private", owner: found.whose || me, category: "data", folder: "" };
  }
  const place = parts[0] === "common" || parts[0]?.startsWith("@") ? parts[0] : "private";
  const owner = place === "private" ? me : place.replace(/^@/, "");
  return {
    ...found,
    view: found.q || found.tag ? "search" : "folder",
    place: owner === me ? "private" : place,
    owner,
    category: parts[1] ?? "data",
    folder: parts.slice(2).join("/"),
  };
}

export function formatAddress({ view = "folder", place, category, folder, ...words }) {
  const path = view === "trash" || view === "history" ? view : encodePath(joinPath(place, category, folder));
  const search = new URLSearchParams(WORDS.filter((word) => words[word]).map((word) => [word, words[word]]));
  return `${ROOT}/${path.replaceAll("%40", "@")}${search.size ? `?${search}` : ""}`;
}

// Where an asset's path is shown: its folder, with its details open.
export function addressOf(path, me, { isFolder = false, open = false, ref = "" } = {}) {
  const [owner, category, ...rest] = path.split("/");
  const place = owner === me ? "private" : owner === "common" ? owner : `@${owner}`;
  if (isFolder && open) return formatAddress({ place, category, folder: rest.join("/"), ref });
  return formatAddress({ place, category, folder: rest.slice(0, -1).join("/"), show: rest.at(-1) ?? ".", ref });
}

// The path, from the owner on, of what is shown beside the folder: "." is the folder itself.
export function shownPath(here) {
  const folder = joinPath(here.owner, here.category, here.folder);
  return here.show === "." ? folder : joinPath(folder, here.show);
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
