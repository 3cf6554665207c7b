// Where a link in somebody's text leads: to an asset beside it, to the web, or nowhere.

export function resolveLink(href, folder) {
  if (/^(https?:|mailto:)/i.test(href)) return { kind: "web", address: href };
  if (href === "" || href.startsWith("#") || href.startsWith("/") || href.startsWith("\\") || /^[a-z][a-z0-9+.-]*:/i.test(href)) return { kind: "none" };
  const parts = folder.split("/");
  const depth = 2; // never out of OWNER/CATEGORY
  for (const part of href.split(/[?#]/)[0].split("/")) {
    const name = decode(part);
    if (name === null || name.includes("/") || name.includes("\\") || name.includes("\0")) return { kind: "none" };
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (parts.length <= depth) return { kind: "none" };
      parts.pop();
    } else parts.push(name);
  }
  return { kind: "path", path: parts.join("/") };
}

// The asset that a path belongs to: OWNER/CATEGORY/NAME; a file directly below a category has its folder.
export function assetRoot(path, isFolder) {
  const parts = path.split("/");
  if (parts.length > 3 || isFolder) return parts.slice(0, 3).join("/");
  return parts.slice(0, 2).join("/");
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
