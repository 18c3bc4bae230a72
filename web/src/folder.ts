// Folders that are dropped: each becomes one archive, as a SavedModel or an IR in a folder is sent.

/// A file and its path from the folder that was dropped on.
export interface Found {
  path: string;
  file: File;
}

const fileOf = (e: FileSystemFileEntry) => new Promise<File>((resolve, reject) => e.file(resolve, reject));
const someOf = (r: FileSystemDirectoryReader) => new Promise<FileSystemEntry[]>((resolve, reject) => r.readEntries(resolve, reject));

async function filesIn(entry: FileSystemEntry, path: string): Promise<Found[]> {
  if (entry.isFile) return [{ path, file: await fileOf(entry as FileSystemFileEntry) }];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Found[] = [];
  for (;;) {
    const some = await someOf(reader); // at most a hundred at once
    if (!some.length) return found;
    for (const e of some) found.push(...(await filesIn(e, `${path}/${e.name}`)));
  }
}

const BLOCK = 512;

function header(path: string, size: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  let cut = 0;
  if (path.length > 100) cut = path.indexOf("/", path.length - 101);
  if (cut < 0 || cut > 155 || path.length - cut > 101) throw new Error(`The path is too long: ${path}`);
  put(0, cut ? path.slice(cut + 1) : path);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${size.toString(8).padStart(11, "0")} `);
  put(136, "00000000000 ");
  put(148, "        "); // the sum counts as blanks
  put(156, "0");
  put(257, "ustar\x0000");
  if (cut) put(345, path.slice(0, cut));
  put(148, `${block.reduce((n, b) => n + b, 0).toString(8).padStart(6, "0")}\0 `);
  return block;
}

/// The files as one .tar; nothing is read for it.
export function tarOf(name: string, found: Found[]): File {
  const parts: BlobPart[] = [];
  for (const { path, file } of found) {
    const rest = file.size % BLOCK;
    parts.push(header(path, file.size), file, new Uint8Array(rest ? BLOCK - rest : 0));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new File(parts, `${name}.tar`);
}

/// What was dropped: files as they are, a folder as an archive. To be called while the event lasts.
export async function filesOf(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].map((i) => i.webkitGetAsEntry?.());
  const plain = [...data.files];
  if (!entries.some((e) => e?.isDirectory)) return plain;
  const files: File[] = [];
  for (const e of entries)
    if (e?.isDirectory) files.push(tarOf(e.name, await filesIn(e, e.name)));
    else if (e) files.push(await fileOf(e as FileSystemFileEntry));
  return files;
}

/// Of a file dialog for a folder.
export function folderOf(list: FileList): File[] {
  const found = [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return found.length ? [tarOf(found[0].path.split("/")[0], found)] : [];
}
