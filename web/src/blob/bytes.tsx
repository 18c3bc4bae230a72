// The whole file on one bar, and what stands at the place that is pointed at.
import { useState } from "preact/hooks";
import { bytes } from "../format";
import type { Piece } from "./model";
import type { Chosen } from "./view";

const WIDTH = 1000;
const NAMES: Record<Piece["kind"], string> = {
  header: "headers",
  io: "inputs and outputs",
  stage: "stages",
  constant: "constants",
  padding: "alignment",
  names: "names of inputs and outputs",
  unknown: "unexplained",
};

export function BytesBar(p: { size: number; pieces: Piece[]; chosen: Chosen; choose: (i: number) => void }) {
  const [at, setAt] = useState<number>();
  const [scale, setScale] = useState<"bytes" | "pieces">("bytes");
  const total = scale === "bytes" ? p.size : p.pieces.length;
  const chosen = (x: Piece) => x.stages.some((s) => p.chosen.stages.has(s));
  const kinds = [...new Set(p.pieces.map((x) => x.kind))];
  const shown = at === undefined ? p.pieces.filter(chosen) : [p.pieces[at]];
  let x = 0;
  return (
    <div>
      <svg
        class="chart bytes"
        viewBox={`0 0 ${WIDTH} 40`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${p.pieces.length} pieces of ${bytes(p.size)}`}
        onMouseLeave={() => setAt(undefined)}
      >
        {p.pieces.map((piece, i) => {
          const width = (WIDTH * (scale === "bytes" ? piece.end - piece.begin : 1)) / total;
          const left = x;
          x += width;
          return (
            <rect
              key={i}
              class={`piece-${piece.kind} ${chosen(piece) ? "on" : ""} ${i % 2 ? "odd" : ""}`}
              x={left}
              width={Math.max(width, 0.15)}
              y={chosen(piece) ? 0 : 6}
              height={chosen(piece) ? 40 : 28}
              onMouseEnter={() => setAt(i)}
              onClick={() => piece.stages.length && p.choose(piece.stages[0])}
            />
          );
        })}
      </svg>
      <p class="key">
        {kinds.map((k) => (
          <span key={k}>
            <i class={`piece-${k}`} /> {NAMES[k]}{" "}
            <span class="dim">
              {bytes(p.pieces.filter((q) => q.kind === k).reduce((n, q) => n + q.end - q.begin, 0))}
            </span>
          </span>
        ))}
        <label class="inline">
          <input
            type="checkbox"
            checked={scale === "pieces"}
            onChange={(e) => setScale(e.currentTarget.checked ? "pieces" : "bytes")}
          />{" "}
          all pieces alike wide
        </label>
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Pieces of the file">
        <table>
          <thead>
            <tr>
              <th class="n">from</th>
              <th class="n">size</th>
              <th>what</th>
              <th>of stages</th>
            </tr>
          </thead>
          <tbody>
            {(shown.length ? shown : p.pieces).slice(0, 400).map((q) => (
              <tr key={q.begin}>
                <td class="n">
                  <code>0x{q.begin.toString(16)}</code>
                </td>
                <td class="n">{bytes(q.end - q.begin)}</td>
                <td>{q.text}</td>
                <td>
                  {q.stages.slice(0, 12).map((s) => (
                    <button key={s} type="button" class="link" onClick={() => p.choose(s)}>
                      {s}
                    </button>
                  ))}
                  {q.stages.length > 12 && ` and ${q.stages.length - 12} more`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
