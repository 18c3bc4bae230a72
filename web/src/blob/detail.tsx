// One stage: what it reads and writes, its parameters, its time, its bytes, and the layers that it computes.
import { bytes, percent, time } from "../format";
import type { BlobStage, Buffer, Estimated, Inspected, StageLayers } from "../types";
import { extent, isWritten, shapeText, type Flow } from "./model";
import { PARTS } from "./time";
import type { Chosen } from "./view";

const MEMORY: Record<string, string> = { BSS: "DDR", Blob: "the file", None: "nowhere" };

function Buffers(p: { list: Buffer[] }) {
  return (
    <ul class="buffers">
      {p.list.map((b, i) => (
        <li key={i}>
          <b>{b.role}</b> <span>{shapeText(b)}</span>
          <small>
            {isWritten(b) ? "to " : "from "}
            {MEMORY[b.location] ?? b.location}
            {b.location !== "None" && `, ${bytes(extent(b))} at ${b.offset.toLocaleString("en")}`}
          </small>
        </li>
      ))}
    </ul>
  );
}

function text(v: unknown): string {
  if (Array.isArray(v) && v.length > 24) return `${v.length} values`;
  return typeof v === "object" ? JSON.stringify(v) : String(v);
}

function Params(p: { of: BlobStage }) {
  const entries = Object.entries(p.of.params);
  if (!entries.length) return null;
  return (
    <details>
      <summary>Parameters</summary>
      <dl class="params">
        {entries.map(([k, v]) => (
          <div key={k}>
            <dt>{k}</dt>
            <dd>{text(v)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

export function StageDetail(p: {
  blob: Inspected;
  flow: Flow;
  index: number;
  more: number[];
  times?: Estimated;
  layers?: StageLayers;
  choose: (c: Chosen) => void;
}) {
  const stage = p.blob.stages[p.index];
  const t = p.times?.stages[p.index];
  const origin = p.layers?.stages[p.index];
  const computed = p.layers?.layers.filter((l) => l.stages.includes(p.index)) ?? [];
  const link = (s: number) => (
    <button key={s} type="button" class="link" onClick={() => p.choose({ stages: new Set([s]) })}>
      {s < 0 ? "input" : s}
    </button>
  );
  const sources = [...new Set(p.flow.inputs[p.index].map((e) => e.from))];
  const targets = [...new Set(p.flow.outputs[p.index].map((e) => e.to))];
  return (
    <div class="detail" aria-live="polite">
      <p>
        <b>{t?.kind ?? stage.type}</b>
        {origin && <span class="name"> {origin.name}</span>}
      </p>
      {p.more.length > 0 && <p class="dim">with {p.more.slice(0, 30).map(link)}</p>}
      {computed.length > 0 && (
        <p>
          computes{" "}
          {computed.map((l) => (
            <button
              key={l.name}
              type="button"
              class="link name"
              title={l.source}
              onClick={() => p.choose({ layer: l.name, stages: new Set(l.stages) })}
            >
              {l.type} {l.name}
            </button>
          ))}
        </p>
      )}
      <p class="dim">
        {sources.length > 0 && (
          <>
            reads from {sources.map((s) => (s < 0 ? "the network's input " : link(s)))}
            <br />
          </>
        )}
        {targets.length > 0 && <>is read by {targets.slice(0, 30).map(link)}</>}
      </p>
      {t && (
        <>
          <p>
            {time(t.us)}, {percent(t.share)} of the time, bound by {t.bound}
            {!t.known && <span class="dim"> (no measured network has such a stage)</span>}
          </p>
          <div class="split" aria-hidden="true">
            {PARTS.map(([part, name]) => (
              <i key={part} class={name} style={{ flexGrow: t.parts[part] }} />
            ))}
          </div>
          {t.advice && <p class="hint">{t.advice}</p>}
        </>
      )}
      <Buffers list={stage.buffers} />
      {stage.injected && (
        <>
          <p>
            <b>{stage.injected.type}</b> rides on it:
          </p>
          <Buffers list={stage.injected.buffers} />
          <Params of={stage.injected} />
        </>
      )}
      <Params of={stage} />
      <p class="dim">
        its record: {bytes(stage.bytes)} at 0x{stage.fileOffset.toString(16)}
        {stage.shaves > 0 && `, ${stage.shaves} SHAVEs`}
      </p>
    </div>
  );
}
