// Stages one after another, as wide as they take long, as high as their share of the longest.
import { time } from "../format";
import type { Estimated, StageTime } from "../types";
import type { Chosen } from "./view";

const WIDTH = 1000;
const HEIGHT = 120;
export const PARTS = [
  ["overhead", "overhead"],
  ["nce", "NCE"],
  ["ddr", "DDR"],
  ["shave", "SHAVE"],
] as const;

const partOf = (s: StageTime, part: (typeof PARTS)[number][0]) => s.parts[part];

export function TimeBar(p: { times: Estimated; chosen: Chosen; choose: (i: number) => void }) {
  const { stages } = p.times;
  const sum = stages.reduce((n, s) => n + s.us, 0) || 1;
  const most = Math.max(...stages.map((s) => s.us), 1);
  let at = 0;
  return (
    <figure>
      <svg
        class="chart time"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Time of ${stages.length} stages, ${time(sum)} together; the longest takes ${time(most)}`}
      >
        {stages.map((s) => {
          const width = (WIDTH * s.us) / sum;
          const x = at;
          at += width;
          let y = HEIGHT;
          return (
            <g key={s.index} class={p.chosen.stages.has(s.index) ? "on" : ""} onClick={() => p.choose(s.index)}>
              <title>{`${s.index}: ${s.kind}, ${time(s.us)}, bound by ${s.bound}`}</title>
              <rect class="hit" x={x} y={0} width={Math.max(width, 0.5)} height={HEIGHT} />
              {PARTS.map(([part, name]) => {
                const height = (partOf(s, part) / most) * (HEIGHT - 4);
                y -= height;
                return height > 0.05 ? (
                  <rect key={part} class={name} x={x} y={y} width={Math.max(width - 0.6, 0.4)} height={height} />
                ) : null;
              })}
            </g>
          );
        })}
      </svg>
      <figcaption class="key">
        {PARTS.map(([, name]) => (
          <span key={name}>
            <i class={name} /> {name === "NCE" ? "NCE (convolution engine)" : name === "SHAVE" ? "SHAVE processors" : name}
          </span>
        ))}
        <span class="dim">as wide as a stage takes long; the longest {time(most)}</span>
      </figcaption>
    </figure>
  );
}
