// A blob beside its model, layer by layer.
import { useState } from "preact/hooks";
import { plural, scientific, shape } from "./format";
import type { Compared, ComparedLayer } from "./types";
import { Card } from "./ui";

const WIDTH = 1000;
const HEIGHT = 190;

const kindOf = (l: ComparedLayer) => (l.within ? (l.output ? "out" : "ok") : "bad");

function Plot(p: {
  title: string;
  layers: ComparedLayer[];
  value: (l: ComparedLayer) => number | null;
  low: number;
  high: number;
  limits: [number, string][];
  chosen?: number;
  choose: (i: number) => void;
}) {
  const x = (i: number) => 44 + ((WIDTH - 56) * (p.layers.length < 2 ? 0.5 : i / (p.layers.length - 1)));
  const y = (v: number | null) => {
    const e = Math.min(Math.max(Math.log10(Math.max(Math.abs(v ?? 0), 1e-300)), p.low), p.high);
    return 8 + ((HEIGHT - 24) * (p.high - e)) / (p.high - p.low);
  };
  const decades: number[] = [];
  for (let e = p.low; e <= p.high; ++e) decades.push(e);
  return (
    <figure>
      <figcaption>
        <b>{p.title}</b>
      </figcaption>
      <div class="sideways" tabIndex={0} role="region" aria-label={`${p.title}, over the layers`}>
      <svg class="chart plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${p.title} of ${p.layers.length} tensors`}>
        {decades.map((e) => (
          <g key={e}>
            <line class="grid" x1={40} x2={WIDTH} y1={y(10 ** e)} y2={y(10 ** e)} />
            <text x={34} y={y(10 ** e) + 4} text-anchor="end">
              {e === 0 ? "1" : `1e${e}`}
            </text>
          </g>
        ))}
        <polyline points={p.layers.map((l, i) => `${x(i)},${y(p.value(l))}`).join(" ")} />
        {p.limits.map(([v, text]) => (
          <g key={text}>
            <line class="limit" x1={40} x2={WIDTH} y1={y(v)} y2={y(v)} />
            <text class="limit" x={48} y={y(v) - 5}>
              {text}
            </text>
          </g>
        ))}
        {p.layers.map((l, i) => (
          <circle
            key={i}
            class={`${kindOf(l)} ${i === p.chosen ? "on" : ""}`}
            cx={x(i)}
            cy={y(p.value(l))}
            r={i === p.chosen ? 7 : 4}
            onClick={() => p.choose(i)}
          >
            <title>{`${l.type} ${l.name}: ${scientific(p.value(l))}`}</title>
          </circle>
        ))}
      </svg>
      </div>
    </figure>
  );
}

export function CompareView(p: { of: Compared }) {
  const { of: c } = p;
  const [chosen, choose] = useState<number>();
  const plot = { layers: c.layers, chosen, choose };
  return (
    <>
      <p class={`verdict ${c.outputs_within ? "good" : "bad"}`}>
        {c.outputs_within ? "The outputs agree with the model in FP32." : "The outputs do not agree with the model."}
        {c.first_outside && (
          <>
            {" "}
            First outside: <span class="name">{c.first_outside}</span>.
          </>
        )}
      </p>
      <p class="dim">
        {plural(c.compared_layers, "layer")} of {c.model_layers} compared, on random inputs; tolerance {c.tolerance} of the
        relative error.
      </p>
      {c.hints.length > 0 && (
        <ul class="warnings">
          {c.hints.map((h) => (
            <li key={h}>{h}</li>
          ))}
        </ul>
      )}
      {c.known_faults.length > 0 && (
        <ul class="warnings">
          {c.known_faults.map((f) => (
            <li key={f.layer}>
              <b>{f.type}</b> <span class="name">{f.layer}</span>: {f.what}
            </li>
          ))}
        </ul>
      )}
      <Plot title="Relative error" value={(l) => l.relative_error} low={-6} high={1} limits={[[c.tolerance, `tolerance ${c.tolerance}`]]} {...plot} />
      <Plot
        title="Largest value of the model"
        value={(l) => l.largest}
        low={-5}
        high={6}
        limits={[
          [65504, "largest of FP16"],
          [2 ** -14, "smallest normal of FP16"],
        ]}
        {...plot}
      />
      <p class="key">
        <span>
          <i class="ok round" /> within the tolerance
        </span>
        <span>
          <i class="out round" /> an output, within
        </span>
        <span>
          <i class="bad round" /> outside
        </span>
      </p>
      <Card title="Tensors">
        <div class="scroll" tabIndex={0} role="region" aria-label="Compared tensors">
          <table>
            <thead>
              <tr>
                <th>layer</th>
                <th>type</th>
                <th class="n">shape</th>
                <th class="n">stage</th>
                <th class="n">relative</th>
                <th class="n">largest error</th>
                <th class="n">cosine</th>
              </tr>
            </thead>
            <tbody>
              {c.layers.map((l, i) => (
                <tr key={i} class={`${kindOf(l)} ${i === chosen ? "chosen" : ""}`}>
                  <td class="name">
                    <button type="button" class="link" onClick={() => choose(i)}>
                      {l.name}
                    </button>
                    {l.output && " (output)"}
                  </td>
                  <td>{l.type}</td>
                  <td class="n">{shape(l.shape)}</td>
                  <td class="n">{l.stage ?? ""}</td>
                  <td class="n">{scientific(l.relative_error)}</td>
                  <td class="n">{scientific(l.max_error)}</td>
                  <td class="n">{l.cosine === null ? "–" : l.cosine.toFixed(6)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
    </>
  );
}
