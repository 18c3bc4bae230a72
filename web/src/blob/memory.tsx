// Where every tensor lies, from the stage that writes it to the last one that reads it: one chart for the memory on the
// chip (CMX), one for the memory beside it (DDR).
import { bytes } from "../format";
import type { Inspected } from "../types";
import type { Flow, Tensor } from "./model";
import type { Chosen } from "./view";

const WIDTH = 1000;
const HEIGHT = 150;
const SLICE = 128 * 1024; // of CMX, for each of the slices that a blob is compiled for

function Chart(p: {
  title: string;
  tensors: Tensor[];
  size: number;
  stages: number;
  grid?: number;
  chosen: Chosen;
  choose: (i: number) => void;
}) {
  if (!p.tensors.length || p.size <= 0) return null;
  const low = Math.min(...p.tensors.map((t) => t.begin));
  const high = Math.max(...p.tensors.map((t) => t.end));
  const x = (stage: number) => (WIDTH * stage) / p.stages;
  const y = (at: number) => (HEIGHT * (high - at)) / Math.max(high - low, 1);
  const lines: number[] = [];
  if (p.grid) for (let at = Math.ceil(low / p.grid) * p.grid; at < high; at += p.grid) lines.push(at);
  return (
    <figure>
      <figcaption>
        <b>{p.title}</b> <span class="dim">
          {bytes(high - low)} in use of {bytes(p.size)}; addresses {low.toLocaleString("en")} to {high.toLocaleString("en")}
        </span>
      </figcaption>
      <svg
        class="chart memory"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${p.title}: ${p.tensors.length} tensors over ${p.stages} stages`}
      >
        {lines.map((at) => (
          <line key={at} class="grid" x1={0} x2={WIDTH} y1={y(at)} y2={y(at)} />
        ))}
        {p.tensors.map((t, i) => {
          const first = Math.max(t.first, 0);
          const on = p.chosen.stages.size > 0 && (p.chosen.stages.has(t.first) || p.chosen.stages.has(t.last));
          return (
            <rect
              key={i}
              class={on ? "tensor on" : "tensor"}
              x={x(first)}
              y={y(t.end)}
              width={Math.max(x(t.last + 1) - x(first), 1)}
              height={Math.max(y(t.begin) - y(t.end), 0.8)}
              onClick={() => p.choose(first)}
            >
              <title>{`${t.label}: ${bytes(t.end - t.begin)} from ${bytes(t.begin)} on, stages ${first} to ${t.last}`}</title>
            </rect>
          );
        })}
        {[...p.chosen.stages].map((s) => (
          <rect key={s} class="cursor" x={x(s)} y={0} width={Math.max(x(1), 1)} height={HEIGHT} />
        ))}
      </svg>
    </figure>
  );
}

export function MemoryMap(p: { blob: Inspected; flow: Flow; chosen: Chosen; choose: (i: number) => void }) {
  const { header, stages } = p.blob;
  const of = (memory: string) => p.flow.tensors.filter((t) => t.memory === memory);
  const common = { stages: stages.length, chosen: p.chosen, choose: p.choose };
  const cmx = of("CMX");
  const ddr = of("BSS");
  return (
    <div class="memories">
      <Chart title="CMX, on the chip" tensors={cmx} size={Math.max(header.cmxSlices * SLICE, ...cmx.map((t) => t.end))} grid={SLICE} {...common} />
      <Chart title="DDR, beside it" tensors={ddr} size={Math.max(header.bssSize, ...ddr.map((t) => t.end))} {...common} />
      {!cmx.length && !ddr.length && <p class="dim">No stage keeps anything between the inputs and the outputs.</p>}
      <p class="dim axis">stage 0 … {stages.length - 1}; a box is a tensor, from the stage that writes it to its last reader</p>
    </div>
  );
}
