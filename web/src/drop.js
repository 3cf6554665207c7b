// What people drag in: files with their folders, and folders that are empty. Where the browser
// gives a handle of a file it is kept, because after a reload it opens the same file again.

// Read a drop: {files: [{file, relative, handle}], emptyFolders}. The first lines must run before the event ends.
export async function readDrop(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const taken = items.map((item) => ({
    entry: item.webkitGetAsEntry?.() ?? null,
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? null,
    file: item.getAsFile?.() ?? null,
  }));
  const found = { files: [], emptyFolders: [] };
  for (const { entry, handle, file } of taken) {
    const held = await handle;
    if (held) await readHandle(held, "", found);
    else if (entry) await readEntry(entry, "", found);
    else if (file) found.files.push({ file, relative: file.name, handle: null });
  }
  return found;
}

async function readHandle(handle, prefix, found) {
  const path = prefix + handle.name;
  if (handle.kind === "file") {
    found.files.push({ file: await handle.getFile(), relative: path, handle });
    return;
  }
  let count = 0;
  for await (const child of handle.values()) {
    count += 1;
    await readHandle(child, `${path}/`, found);
  }
  if (!count) found.emptyFolders.push(path);
}

async function readEntry(entry, prefix, found) {
  const path = prefix + entry.name;
  if (entry.isFile) {
    found.files.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), relative: path, handle: null });
    return;
  }
  const reader = entry.createReader();
  let count = 0;
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) break;
    count += batch.length;
    for (const child of batch) await readEntry(child, `${path}/`, found);
  }
  if (!count) found.emptyFolders.push(path);
}

// What was chosen with a file or folder button.
export function readChosen(input) {
  return [...input.files].map((file) => ({ file, relative: file.webkitRelativePath || file.name, handle: null }));
}
