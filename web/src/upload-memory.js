// What the browser remembers of unfinished uploads: which file it was, and, where the browser
// gives one, a handle that opens it again after a reload. Without IndexedDB nothing is remembered, and nothing breaks.

const NAME = "twinhub-uploads";
const STORE = "uploads";
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "address" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function ask(mode, work) {
  try {
    const store = (await open()).transaction(STORE, mode).objectStore(STORE);
    return await new Promise((resolve, reject) => {
      const asked = work(store);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  } catch {
    return null;
  }
}

export const remember = (record) => ask("readwrite", (store) => store.put(record));
export const forget = (address) => ask("readwrite", (store) => store.delete(address));
export const recall = async () => (await ask("readonly", (store) => store.getAll())) ?? [];

// Why a file is not the one of which a part was sent, or "".
export function differs(file, { name, size, modified }) {
  if (file.size !== size) return `'${file.name}' has ${file.size} bytes, but the upload that was begun has ${size}. Choose the same file, or discard the upload.`;
  if (name && file.name !== name) return `The upload that was begun is of '${name}', not of '${file.name}'.`;
  if (modified && file.lastModified !== modified) return `'${file.name}' was changed since its upload began. Discard the upload and send it anew.`;
  return "";
}
