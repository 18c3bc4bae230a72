// What the server sends (docs/openapi.yaml) and what the reports of the command line hold (src/reports/json.hpp).

export interface Problem {
  code: string;
  message: string;
  file?: string;
  layer?: string | null;
  type?: string;
  source?: string;
  why?: string;
  hint?: string;
}

export type Kind = "convert" | "check" | "inspect" | "compare" | "estimate";
export type State = "queued" | "running" | "done" | "failed" | "cancelled";

export interface LogLine {
  stream: "stdout" | "stderr";
  text: string;
}

export interface FileEntry {
  name: string;
  size: number;
  url: string;
}

export interface Result extends FileEntry {
  kind: string;
  sha256: string;
}

export type Options = Record<string, unknown>;

export interface Job {
  id: string;
  kind: Kind;
  state: State;
  name: string;
  created: number;
  started?: number;
  finished?: number;
  ahead?: number;
  phase: string;
  fraction: number;
  cached?: boolean;
  files: FileEntry[];
  options: Options;
  command: string;
  results: Result[];
  errors: Problem[];
  log: LogLine[];
}

export interface OptionInfo {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "choice" | "shapes";
  choices?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  text: string;
  group?: string;
  kinds: Kind[];
  flag: string;
}

export interface Format {
  name: string;
  framework?: string;
  endings: string[];
  files: string[];
}

export interface Info {
  version: string;
  api: string;
  targets: string[];
  netron: boolean;
  formats: Format[];
  options: OptionInfo[];
  sandbox: Record<string, boolean>;
  limits: { upload_bytes: number; files: number; seconds: number; memory_bytes: number; queue: number };
}

export interface ZooModel {
  name: string;
  zoo: string;
  precisions: string[];
  task?: string;
  description?: string;
  framework?: string;
  license?: string;
  bytes?: number;
  available: boolean;
}

export interface Port {
  name: string;
  type: string;
  shape: number[];
  layout?: string;
}

export interface CheckedLayer {
  name: string;
  type: string;
  status: "supported" | "fixed" | "unsupported" | "not checked";
  inputs: number[][];
  outputs: number[][];
  fix?: string;
  problems?: number[];
}

export interface Check {
  compiles: boolean;
  supported: number;
  fixed: number;
  unsupported: number;
  not_checked: number;
  inputs?: Port[];
  outputs?: Port[];
  problems: (Problem & { number: number })[];
  warnings: { layer: string; type: string; what: string; convert_avoids: boolean }[];
  layers: CheckedLayer[];
}

export interface Buffer {
  role: string;
  type: string;
  order: string;
  dims: number[];
  strides: number[];
  location: string;
  io?: number;
  offset: number;
}

export interface BlobStage {
  type: string;
  id: number;
  shaves: number;
  fileOffset: number;
  bytes: number;
  params: Record<string, unknown>;
  buffers: Buffer[];
  injected?: BlobStage;
}

export interface BlobPort {
  name: string;
  type: string;
  order: string;
  dims: number[];
}

export interface Section {
  name: string;
  begin: number;
  end: number;
  paddedEnd: number;
}

export interface Constant {
  kind: string;
  offset: number;
  bytes: number;
  users?: string[];
}

export interface Inspected {
  kind: string;
  header: {
    version: string;
    fileSize: number;
    shaves: number;
    cmxSlices: number;
    batch: number;
    stages: number;
    inputsSize: number;
    outputsSize: number;
    bssSize: number;
  };
  inputs: BlobPort[];
  outputs: BlobPort[];
  stages: BlobStage[];
  account: {
    complete: boolean;
    padding: number;
    unexplained: number;
    problems: string[];
    sections: Section[];
    constants: Constant[];
  };
}

export interface Superblob {
  kind: "superblob";
  base: Inspected;
  file_size: number;
  base_size: number;
  patches: { shaves: number; bytes: number; blob_shaves: number }[];
}

export interface Archive {
  kind: "nn archive";
  members: string[];
  config: unknown;
  model: Inspected | Superblob;
}

export interface StageTime {
  index: number;
  type: string;
  kind: string;
  us: number;
  share: number;
  bound: string;
  known: boolean;
  input: string;
  output: string;
  parts: { nce: number; weights: number; ddr_input: number; ddr: number; shave: number; overhead: number };
  work: { macs: number; ddr_bytes: number };
  advice: string;
}

export interface Speed {
  shaves: number;
  slices: number;
  streams: number;
  fps: number;
  range: [number, number];
  latency_ms: number;
  bound: string;
  error?: string;
}

export interface Estimated extends Speed {
  sum_ms: number;
  ddr_bytes: number;
  usb3_fps: number;
  caveats: string[];
  gflops?: number;
  mparams?: number;
  best_shaves?: number;
  by_shaves?: Speed[];
  measured?: { model: string; device: string; toolchain: string; shaves: string; fps: number; source: string }[];
  stages: StageTime[];
}

export interface StageLayers {
  stages: { name: string; layer?: string; type?: string; source?: string }[];
  layers: { name: string; type: string; stages: number[]; source?: string; inside?: string }[];
}

export interface ComparedLayer {
  name: string;
  type: string;
  shape: number[];
  output: boolean;
  stage: number | null;
  within: boolean;
  largest: number | null;
  max_error: number | null;
  mean_error: number | null;
  relative_error: number | null;
  cosine: number | null;
  overflows: number;
}

export interface Compared {
  outputs_within: boolean;
  first_outside: string | null;
  tolerance: number;
  model_layers: number;
  compared_layers: number;
  layers: ComparedLayer[];
  known_faults: { layer: string; type: string; what: string }[];
  hints: string[];
}
