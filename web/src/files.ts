// Which of the files that were dropped is the model, and which are missing.
import type { Format, Kind } from "./types";

const BLOBS = [".blob", ".superblob", ".tar.xz"];

const endsWith = (name: string, endings: string[]) => endings.some((e) => e && name.toLowerCase().endsWith(e));
export const isBlob = (name: string) => endsWith(name, BLOBS);

export function formatOf(name: string, formats: Format[]): Format | undefined {
  return formats
    .filter((f) => endsWith(name, f.endings))
    .sort((a, b) => Math.max(...b.endings.map((e) => e.length)) - Math.max(...a.endings.map((e) => e.length)))[0];
}

/// Formats of which one file says nothing: what else is needed.
const COMPANIONS: [string, string[], string][] = [
  [".xml", [".bin"], "An OpenVINO IR is two files: add the .bin beside the .xml."],
  [".bin", [".xml", ".param"], "Weights alone: add the .xml of this OpenVINO IR."],
  [".caffemodel", [".prototxt", ".pbtxt"], "A Caffe model is two files: add its .prototxt."],
  [".prototxt", [".caffemodel"], "Add the weights, a .caffemodel."],
  [".params", [".json"], "An MXNet model is two files: add its -symbol.json."],
];

/// It belongs to a model, and is none by itself.
export const isCompanion = (name: string) => endsWith(name, COMPANIONS.flatMap(([, others]) => others)) && !endsWith(name, [".xml", ".caffemodel"]);

export function missing(files: File[]): string | undefined {
  for (const [ending, others, text] of COMPANIONS)
    if (files.some((f) => endsWith(f.name, [ending])) && !files.some((f) => endsWith(f.name, others))) return text;
  return undefined;
}

/// A blob alone is looked at, a blob with a model compared with it, a model checked before anything is asked.
export function kindFor(files: File[]): Kind {
  const blobs = files.filter((f) => isBlob(f.name));
  if (!blobs.length) return "check";
  return blobs.length === files.length ? "inspect" : "compare";
}
