// What a blob does, from the list of its stages: which stage reads what another wrote, and where tensors lie for how
// long. A stage's buffers say memory, offset, sizes and strides; who wrote last to the bytes that a stage reads is
// whom it reads from.
//
//   stage 0 writes CMX 0..100, stage 1 reads CMX 0..50 and writes DDR 0..64, stage 2 reads DDR 0..64:
//   edges 0 -> 1 (CMX), 1 -> 2 (DDR); tensors CMX 0..100 from 0 to 1, DDR 0..64 from 1 to 2
import type { BlobStage, Buffer, Constant, Inspected } from "../types";

const TYPE_BYTES: Record<string, number> = { FP16: 2, U8: 1, S32: 4, FP32: 4, I8: 1, I32: 4 };

export interface Tensor {
  memory: string; // "CMX", "BSS" (DDR), "Input", "Output"
  begin: number;
  end: number;
  first: number; // stage that writes it; -1: the host
  last: number; // last stage that reads it; itself where none does
  label: string;
}

export interface Edge {
  from: number; // -1: an input of the network
  to: number;
  memory: string;
}

export interface Flow {
  edges: Edge[];
  tensors: Tensor[];
  inputs: Edge[][]; // by stage
  outputs: Edge[][];
}

export function extent(b: Buffer): number {
  let bytes = TYPE_BYTES[b.type] ?? 2;
  b.dims.forEach((d, i) => (bytes += (Math.max(d, 1) - 1) * Math.abs(b.strides[i] ?? 0)));
  return bytes;
}

export const isWritten = (b: Buffer) => /^(out|temp|scratch)/.test(b.role);
export const isMoved = (b: Buffer) => b.location !== "Blob" && b.location !== "None";
export const buffersOf = (s: BlobStage): Buffer[] => [...s.buffers, ...(s.injected?.buffers ?? [])];
const memoryOf = (b: Buffer) => (b.io === undefined ? b.location : `${b.location} ${b.io}`);

export const shapeText = (b: Buffer) => `${b.order} ${b.dims.join(" × ")} ${b.type}`;

interface Span {
  begin: number;
  end: number;
  of: Tensor;
}

/// The bytes of a buffer without those between its rows: a part of a tensor cut along its height lies in as many pieces
/// as there are channels. What only alignment separates counts as one piece.
const SLACK = 64;
const MOST_PIECES = 4096;
function spansOf(b: Buffer): [number, number][] {
  let run = TYPE_BYTES[b.type] ?? 2;
  let k = b.dims.length - 1;
  for (; k >= 0; --k) {
    const stride = Math.abs(b.strides[k] ?? 0);
    if (b.dims[k] > 1 && stride > run + SLACK) break;
    run += (Math.max(b.dims[k], 1) - 1) * stride;
  }
  let at = [b.offset];
  for (; k >= 0; --k) {
    if (at.length * b.dims[k] > MOST_PIECES) return [[b.offset, b.offset + extent(b)]];
    const stride = b.strides[k];
    const dim = Math.max(b.dims[k], 1);
    at = at.flatMap((start) => Array.from({ length: dim }, (_, i) => start + i * stride));
  }
  return at.sort((x, y) => x - y).map((start) => [start, start + run]);
}

/// Who wrote the bytes of one memory last.
class Memory {
  private spans: Span[] = []; // ascending, apart

  private firstBehind(at: number): number {
    let low = 0;
    let high = this.spans.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.spans[mid].end <= at) low = mid + 1;
      else high = mid;
    }
    return low;
  }
  writersOf(begin: number, end: number, into: Set<Tensor>): void {
    for (let i = this.firstBehind(begin); i < this.spans.length && this.spans[i].begin < end; ++i) into.add(this.spans[i].of);
  }
  write(begin: number, end: number, of: Tensor): void {
    const first = this.firstBehind(begin);
    let last = first;
    const kept: Span[] = [{ begin, end, of }];
    for (; last < this.spans.length && this.spans[last].begin < end; ++last) {
      const s = this.spans[last];
      if (s.begin < begin) kept.unshift({ ...s, end: begin });
      if (s.end > end) kept.push({ ...s, begin: end });
    }
    this.spans.splice(first, last - first, ...kept);
  }
}

export function flowOf(blob: Inspected): Flow {
  const memories = new Map<string, Memory>();
  const flow: Flow = { edges: [], tensors: [], inputs: blob.stages.map(() => []), outputs: blob.stages.map(() => []) };
  const memoryNamed = (name: string) => memories.get(name) ?? memories.set(name, new Memory()).get(name)!;
  const write = (b: Buffer, stage: number): Tensor => {
    const memory = memoryOf(b);
    const t = { memory, begin: b.offset, end: b.offset + extent(b), first: stage, last: stage, label: shapeText(b) };
    flow.tensors.push(t);
    for (const [begin, end] of spansOf(b)) memoryNamed(memory).write(begin, end, t);
    return t;
  };
  const read = (b: Buffer, stage: number) => {
    const memory = memoryOf(b);
    const found = new Set<Tensor>();
    for (const [begin, end] of spansOf(b)) memoryNamed(memory).writersOf(begin, end, found);
    if (!found.size && b.location === "Input") found.add(write(b, -1));
    for (const t of found) {
      if (t.first === stage) continue;
      t.last = stage;
      if (flow.inputs[stage].some((e) => e.from === t.first && e.memory === memory)) continue;
      const edge = { from: t.first, to: stage, memory };
      flow.edges.push(edge);
      flow.inputs[stage].push(edge);
      if (t.first >= 0) flow.outputs[t.first].push(edge);
    }
  };
  blob.stages.forEach((stage, i) => {
    const buffers = buffersOf(stage).filter(isMoved);
    for (const b of buffers) if (!isWritten(b)) read(b, i);
    for (const b of buffers) if (isWritten(b)) write(b, i);
  });
  return flow;
}

/// Lanes for the edges beside a list of stages, as histories of repositories are drawn: an edge keeps its lane from
/// its stage to the last one that reads it. Edges of one stage and memory share one.
export interface Lane {
  from: number;
  to: number;
  readers: number[];
  lane: number;
  memory: string;
}

export function lanesOf(flow: Flow): { lanes: Lane[]; width: number } {
  const groups = new Map<string, Lane>();
  for (const e of flow.edges) {
    const key = `${e.from} ${e.memory}`;
    const g = groups.get(key) ?? { from: e.from, to: e.to, readers: [], lane: 0, memory: e.memory };
    g.readers.push(e.to);
    g.to = Math.max(g.to, e.to);
    groups.set(key, g);
  }
  const lanes = [...groups.values()].sort((a, b) => a.from - b.from || a.to - b.to);
  const free: number[] = []; // by lane: the stage that frees it
  for (const l of lanes) {
    let at = free.findIndex((until) => until <= l.from);
    if (at < 0) at = free.length;
    free[at] = l.to;
    l.lane = at;
  }
  return { lanes, width: free.length };
}

/// The whole file as pieces, each with what it is and whose.
export interface Piece {
  begin: number;
  end: number;
  kind: "header" | "io" | "stage" | "constant" | "padding" | "names" | "unknown";
  text: string;
  stages: number[];
}

function constantText(c: Constant): string {
  const roles = [...new Set((c.users ?? []).map((u) => u.slice(u.indexOf(":") + 1)))];
  return roles.length ? roles.join(", ") : c.kind;
}

export function piecesOf(blob: Inspected): Piece[] {
  const pieces: Piece[] = [];
  const add = (begin: number, end: number, kind: Piece["kind"], text: string, stages: number[] = []) => {
    if (end > begin) pieces.push({ begin, end, kind, text, stages });
  };
  for (const s of blob.account.sections) {
    if (s.name === "stages") {
      let at = s.begin;
      blob.stages.forEach((stage, i) => {
        add(at, stage.fileOffset, "stage", "stage table");
        add(stage.fileOffset, stage.fileOffset + stage.bytes, "stage", `record of stage ${i}, ${stage.type}`, [i]);
        at = stage.fileOffset + stage.bytes;
      });
      add(at, s.end, "stage", "stage table");
    } else if (s.name === "const") {
      let at = s.begin;
      for (const c of blob.account.constants) {
        const begin = s.begin + c.offset;
        add(at, begin, "padding", "alignment");
        const users = [...new Set((c.users ?? []).map((u) => Number.parseInt(u, 10)))];
        add(begin, begin + c.bytes, c.kind === "padding" ? "padding" : "constant", constantText(c), users);
        at = Math.max(at, begin + c.bytes);
      }
      add(at, s.end, "unknown", "nobody reads it");
    } else {
      const kind = s.name === "headers" ? "header" : s.name === "network info" ? "names" : "io";
      add(s.begin, s.end, kind, s.name);
    }
    add(s.end, s.paddedEnd, "padding", "alignment");
  }
  return pieces.sort((a, b) => a.begin - b.begin);
}
