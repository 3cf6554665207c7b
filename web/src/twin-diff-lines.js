// A difference as programs write it (unified), read line by line.

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

// Give [{kind: same|added|removed|gap, oldNumber, newNumber, text}].
export function readDiff(diff) {
  const lines = [];
  let [oldNumber, newNumber, inside] = [0, 0, false];
  for (const line of diff.split("\n")) {
    const hunk = HUNK.exec(line);
    if (hunk) {
      if (inside) lines.push({ kind: "gap", oldNumber: null, newNumber: null, text: "…" });
      [oldNumber, newNumber, inside] = [Number(hunk[1]), Number(hunk[2]), true];
    } else if (!inside || line.startsWith("\\")) continue;
    else if (line.startsWith("+")) lines.push({ kind: "added", oldNumber: null, newNumber: newNumber++, text: line.slice(1) });
    else if (line.startsWith("-")) lines.push({ kind: "removed", oldNumber: oldNumber++, newNumber: null, text: line.slice(1) });
    else if (line.startsWith(" ")) lines.push({ kind: "same", oldNumber: oldNumber++, newNumber: newNumber++, text: line.slice(1) });
  }
  return lines;
}
