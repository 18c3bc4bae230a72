// Stages in the order of execution, with the edges between them in lanes beside the list. Only the rows in sight exist:
// a transformer has thousands.
import { useEffect, useRef, useState } from "preact/hooks";
import { time } from "../format";
import type { Estimated, Inspected, StageLayers } from "../types";
import { buffersOf, isMoved, isWritten, type Flow, type Lane } from "./model";
import type { Chosen } from "./view";

const ROW = 44;
const LANE = 11;
const MOST_LANES = matchMedia("(max-width: 560px)").matches ? 5 : 9;
const VIEW = 560;

export function StageList(p: {
  blob: Inspected;
  flow: Flow;
  lanes: { lanes: Lane[]; width: number };
  times?: Estimated;
  layers?: StageLayers;
  chosen: Chosen;
  choose: (i: number) => void;
}) {
  const { stages } = p.blob;
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(0);
  const width = Math.min(p.lanes.width, MOST_LANES) * LANE + 20;
  const first = Math.max(Math.floor(scroll / ROW) - 4, 0);
  const last = Math.min(first + Math.ceil(VIEW / ROW) + 8, stages.length - 1);
  const longest = Math.max(...(p.times?.stages.map((s) => s.us) ?? [1]));
  const one = p.chosen.stages.size ? Math.min(...p.chosen.stages) : undefined;

  useEffect(() => {
    const view = box.current;
    if (one === undefined || !view) return;
    const at = one * ROW;
    if (at < view.scrollTop || at + ROW > view.scrollTop + view.clientHeight)
      view.scrollTop = at - view.clientHeight / 2 + ROW / 2;
  }, [one, p.chosen]);

  const keys = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -stages.length, End: stages.length }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    p.choose(Math.min(Math.max((one ?? -1) + step, 0), stages.length - 1));
  };

  const y = (stage: number) => stage * ROW + ROW / 2;
  const dot = width - 6;
  const x = (lane: number) => dot - 12 - Math.min(lane, MOST_LANES - 1) * LANE; // short edges lie next to the list
  const bend = (x0: number, y0: number, x1: number, y1: number) =>
    `M${x0} ${y0} C${x0} ${(y0 + y1) / 2} ${x1} ${(y0 + y1) / 2} ${x1} ${y1}`;
  const visible = p.lanes.lanes.filter((l) => l.to >= first - 1 && l.from <= last + 1);
  return (
    <div
      class="stages"
      ref={box}
      style={{ maxHeight: `${VIEW}px` }}
      onScroll={(e) => setScroll(e.currentTarget.scrollTop)}
      onKeyDown={keys}
      tabIndex={0}
      role="listbox"
      aria-label="Stages in the order of execution; arrows move"
      aria-activedescendant={one === undefined ? undefined : `stage-${one}`}
    >
      <div style={{ height: `${stages.length * ROW}px`, position: "relative" }} role="presentation">
        <svg
          class="edges"
          width={width}
          height={(last - first + 3) * ROW}
          style={{ top: `${(first - 1) * ROW}px` }}
          viewBox={`0 ${(first - 1) * ROW} ${width} ${(last - first + 3) * ROW}`}
          aria-hidden="true"
        >
          {visible.map((l, i) => {
            const on = p.chosen.stages.has(l.from) || l.readers.some((r) => p.chosen.stages.has(r));
            const begin = l.from < 0 ? -ROW / 2 : y(l.from);
            const branches = [...new Set(l.readers)].filter((r) => r >= first - 1 && r <= last + 1);
            const memory = l.memory === "CMX" ? "cmx" : "ddr";
            return (
              <g key={i} class={`${memory} ${on ? "on" : ""}`}>
                <path
                  d={`${bend(l.from < 0 ? x(l.lane) : dot, begin, x(l.lane), begin + ROW / 2)} V${Math.max(y(l.to) - ROW / 2, begin + ROW / 2)}`}
                />
                {branches.map((r) => (
                  <path key={r} d={bend(x(l.lane), y(r) - ROW / 2, dot, y(r))} />
                ))}
              </g>
            );
          })}
        </svg>
        {stages.slice(first, last + 1).map((s, k) => {
          const i = first + k;
          const t = p.times?.stages[i];
          const out = buffersOf(s).findLast((b) => isMoved(b) && isWritten(b));
          const on = p.chosen.stages.has(i);
          return (
            <div
              key={i}
              id={`stage-${i}`}
              role="option"
              aria-selected={on}
              class={`stage ${on ? "on" : ""}`}
              style={{ top: `${i * ROW}px`, height: `${ROW}px`, paddingLeft: `${width + 4}px` }}
              onClick={() => p.choose(i)}
            >
              <i class="dot" style={{ left: `${dot - 4}px` }} />
              <span class="number">{i}</span>
              <span class="what">
                <b title={t?.kind}>{t?.kind ?? s.type}</b>
                <span class="name">{p.layers?.stages[i]?.name ?? (out ? out.dims.join(" × ") : "")}</span>
              </span>
              {out && <span class={`memory ${out.location}`}>{out.location === "BSS" ? "DDR" : out.location}</span>}
              {t && (
                <span class="took">
                  <i style={{ width: `${(100 * t.us) / longest}%` }} />
                  {time(t.us)}
                </span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
