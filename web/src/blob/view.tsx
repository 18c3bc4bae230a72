// Our own view of a blob: stages as a graph, time, memory over time, every byte; all linked by what is chosen.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { bytes, percent, plural, time } from "../format";
import type { Estimated, Inspected, StageLayers } from "../types";
import { Card } from "../ui";
import { BytesBar } from "./bytes";
import { MemoryMap } from "./memory";
import { flowOf, lanesOf, piecesOf } from "./model";
import { StageDetail } from "./detail";
import { StageList } from "./stages";
import { TimeBar } from "./time";

export interface Chosen {
  stages: Set<number>;
  layer?: string;
}

function Layers(p: { of: StageLayers; chosen: Chosen; choose: (c: Chosen) => void }) {
  const [filter, setFilter] = useState("");
  const list = p.of.layers.filter((l) => `${l.name} ${l.type}`.toLowerCase().includes(filter.toLowerCase()));
  const active = (name: string, stages: number[]) =>
    p.chosen.layer ? p.chosen.layer === name : stages.some((s) => p.chosen.stages.has(s));
  const box = useRef<HTMLUListElement>(null);
  // What a stage computes is to be seen.
  useEffect(() => {
    const view = box.current;
    const first = view?.querySelector<HTMLElement>("[aria-pressed=true]");
    if (!view || !first) return;
    const at = first.offsetTop - view.offsetTop;
    if (at < view.scrollTop || at + first.offsetHeight > view.scrollTop + view.clientHeight) view.scrollTop = at - 40;
  }, [p.chosen]);
  return (
    <div class="layers">
      <label>
        <span class="hidden">Find a layer</span>
        <input type="search" placeholder="Find a layer" value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
      </label>
      <ul aria-label="Layers of the model" ref={box}>
        {list.map((l) => (
          <li key={l.name}>
            <button
              type="button"
              aria-pressed={active(l.name, l.stages)}
              onClick={() => p.choose({ layer: l.name, stages: new Set(l.stages) })}
            >
              <b>{l.type}</b> <span class="name">{l.name}</span>
              <small>
                {!l.stages.length
                  ? "nothing to compute"
                  : l.inside
                    ? `computed with ${l.inside}`
                    : plural(l.stages.length, "stage")}
              </small>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function BlobView(p: { blob: Inspected; times?: Estimated; layers?: StageLayers }) {
  const { blob, times, layers } = p;
  const flow = useMemo(() => flowOf(blob), [blob]);
  const lanes = useMemo(() => lanesOf(flow), [flow]);
  const pieces = useMemo(() => piecesOf(blob), [blob]);
  const [chosen, setChosen] = useState<Chosen>({ stages: new Set() });
  const top = useRef<HTMLDivElement>(null);
  const chooseStage = (i: number) => setChosen({ stages: new Set([i]) });
  const one = chosen.stages.size ? Math.min(...chosen.stages) : undefined;
  const h = blob.header;
  return (
    <div class="blob" ref={top}>
      <p class="summary">
        {plural(blob.stages.length, "stage")} for {plural(h.shaves, "SHAVE")} and {plural(h.cmxSlices, "CMX slice")},{" "}
        {bytes(h.fileSize)}, {bytes(h.bssSize)} of DDR at run time, OpenVINO {h.version}.{" "}
        {blob.account.complete
          ? "Every byte is accounted for."
          : `${plural(blob.account.problems.length, "problem")} in the account of bytes: ${blob.account.problems[0] ?? ""}`}
      </p>
      <p class="dim">
        A stage is one step that the chip takes. Choose a stage{layers && ", a layer"}, a bar or a byte: everything that belongs
        to it is marked in all parts of this view.
      </p>
      {times && (
        <Card
          title="Time by stage"
          aside={
            <span class="dim">
              estimate: {time(1000 * times.sum_ms)} for one inference, bound by {times.bound}
            </span>
          }
        >
          <TimeBar times={times} chosen={chosen} choose={chooseStage} />
        </Card>
      )}
      <Card title="Memory over time">
        <MemoryMap blob={blob} flow={flow} chosen={chosen} choose={chooseStage} />
      </Card>
      <div class={`linked ${layers ? "" : "alone"}`}>
        {layers && (
          <Card title="Layers of the model">
            <Layers of={layers} chosen={chosen} choose={setChosen} />
          </Card>
        )}
        <Card title="Stages of the blob">
          <StageList blob={blob} flow={flow} lanes={lanes} times={times} layers={layers} chosen={chosen} choose={chooseStage} />
        </Card>
        <Card title={one === undefined ? "A stage" : `Stage ${one}`}>
          {one === undefined ? (
            <p class="dim">
              Choose a stage or a layer: what it reads and writes, its parameters and its bytes appear here, and its place in
              the charts is marked.
            </p>
          ) : (
            <StageDetail
              blob={blob}
              flow={flow}
              index={one}
              more={[...chosen.stages].filter((s) => s !== one)}
              times={times}
              layers={layers}
              choose={setChosen}
            />
          )}
        </Card>
      </div>
      <Card
        title="Every byte"
        aside={
          <span class="dim">
            {percent(pieces.filter((x) => x.kind === "constant").reduce((n, x) => n + x.end - x.begin, 0) / h.fileSize)}{" "}
            constants
          </span>
        }
      >
        <BytesBar size={h.fileSize} pieces={pieces} chosen={chosen} choose={chooseStage} />
      </Card>
    </div>
  );
}
