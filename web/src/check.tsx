// What a model is: inputs, outputs, layers, and what stands in the way of a blob.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { formatOf } from "./files";
import { bytes, plural, shape } from "./format";
import type { Check, CheckedLayer, Info, Job, Port } from "./types";
import { Card, Fact, Problems } from "./ui";

export function Ports(p: { list: Port[] }) {
  return (
    <ul class="ports">
      {p.list.map((t) => (
        <li key={t.name}>
          <span class="name">{t.name}</span> <span>{shape(t.shape)}</span> {t.layout && <span class="dim">{`${t.type} ${t.layout}`}</span>}
        </li>
      ))}
    </ul>
  );
}

export function Facts(p: { job: Job; info: Info; check?: Check }) {
  const { job, check } = p;
  const size = job.files.reduce((n, f) => n + f.size, 0);
  const format = job.files.map((f) => formatOf(f.name, p.info.formats)).find(Boolean);
  return (
    <dl class="facts">
      <Fact name="Format">{format?.name ?? "unknown"}</Fact>
      <Fact name="Size">{bytes(size)}</Fact>
      {check?.inputs && (
        <Fact name={check.inputs.length === 1 ? "Input" : "Inputs"}>
          <Ports list={check.inputs} />
        </Fact>
      )}
      {check?.outputs && (
        <Fact name={check.outputs.length === 1 ? "Output" : "Outputs"}>
          <Ports list={check.outputs} />
        </Fact>
      )}
      {check && <Fact name="Layers">{check.layers.length.toLocaleString("en")}</Fact>}
    </dl>
  );
}

const STATUS: Record<CheckedLayer["status"], string> = {
  supported: "as it is",
  fixed: "rewritten",
  unsupported: "not supported",
  "not checked": "not checked",
};

function LayerTable(p: { check: Check }) {
  const counts = (s: CheckedLayer["status"]) => p.check.layers.filter((l) => l.status === s).length;
  const states = (Object.keys(STATUS) as CheckedLayer["status"][]).filter((s) => counts(s));
  const [only, setOnly] = useState<string>("");
  const [find, setFind] = useState("");
  const list = p.check.layers.filter(
    (l) => (!only || l.status === only) && `${l.name} ${l.type}`.toLowerCase().includes(find.toLowerCase()),
  );
  return (
    <>
      <div class="filter">
        <label>
          <span class="hidden">Find a layer</span>
          <input type="search" placeholder="Find a layer" value={find} onInput={(e) => setFind(e.currentTarget.value)} />
        </label>
        <label>
          <span class="hidden">Only layers that are</span>
          <select value={only} onChange={(e) => setOnly(e.currentTarget.value)}>
            <option value="">all {p.check.layers.length}</option>
            {states.map((s) => (
              <option key={s} value={s}>
                {STATUS[s]} ({counts(s)})
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Layers">
        <table>
          <thead>
            <tr>
              <th>layer</th>
              <th>type</th>
              <th class="n">output</th>
              <th>on the chip</th>
            </tr>
          </thead>
          <tbody>
            {list.slice(0, 1000).map((l, i) => (
              <tr key={i} class={l.status.replace(" ", "-")}>
                <td class="name">{l.name}</td>
                <td>{l.type}</td>
                <td class="n">{l.outputs.map(shape).join(", ")}</td>
                <td>
                  {STATUS[l.status]}
                  {l.fix && <small>{l.fix}</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {list.length > 1000 && <p class="dim">and {list.length - 1000} more</p>}
      </div>
    </>
  );
}

/// What came of the check, with what to do next.
export function Verdict(p: { check: Check; children?: ComponentChildren }) {
  const c = p.check;
  return (
    <div class={`verdict ${c.compiles ? "good" : "bad"}`}>
      {c.compiles ? (
        <p>
          All {plural(c.layers.length, "layer")} can be converted
          {c.fixed > 0 && `, ${c.fixed} of them by a rewrite that computes the same`}.
        </p>
      ) : (
        <p>
          {plural(c.problems.length, "problem")} in the way of a blob
          {c.unsupported > 0 && `: ${plural(c.unsupported, "layer")} not supported`}.
        </p>
      )}
      {p.children}
    </div>
  );
}

export function CheckReport(p: { check: Check }) {
  const { check } = p;
  return (
    <>
      <Problems list={check.problems} />
      {check.warnings.length > 0 && (
        <Card title="The blob would compute something else">
          <ul class="warnings">
            {check.warnings.map((w, i) => (
              <li key={i}>
                <b>{w.type}</b> <span class="name">{w.layer}</span>: {w.what}
                {w.convert_avoids && <span class="dim"> (avoided when converting here)</span>}
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Card title="Layers">
        <LayerTable check={check} />
      </Card>
    </>
  );
}
