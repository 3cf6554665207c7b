// The page's addresses: what is looked at can be linked, and the back button works.
//
//   /app/digitaltwins?q=tank&sort=run           the list
//   /app/digitaltwins/water tank/execute?run=ID one twin, one tab
//   /app/digitaltwins/water tank/analyze?part=runs

const ROOT = "/app/digitaltwins";
const WORDS = ["q", "sort", "run", "part", "file", "compare", "edit"];
export const TABS = ["create", "execute", "analyze"];

export function parseTwinAddress(pathname, search) {
  const [twin = "", tab = ""] = pathname.slice(ROOT.length).split("/").filter(Boolean).map(decode);
  const words = new URLSearchParams(search);
  return { ...Object.fromEntries(WORDS.map((word) => [word, words.get(word) ?? ""])), twin, tab: TABS.includes(tab) ? tab : "" };
}

export function twinAddress({ twin = "", tab = "", ...words }) {
  const path = [ROOT, ...[twin, twin && tab].filter(Boolean).map(encodeURIComponent)].join("/");
  const search = new URLSearchParams(WORDS.filter((word) => words[word]).map((word) => [word, words[word]]));
  return `${path}${search.size ? `?${search}` : ""}`;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
