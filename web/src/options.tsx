// The form of a conversion. Which options there are the server says; those that most people need come first.
import { useState } from "preact/hooks";
import { report } from "./api";
import { fps } from "./format";
import type { Check, Estimated, Info, Kind, OptionInfo, Options, Speed } from "./types";
import { Busy, Problems, problemsOf } from "./ui";

const RESULTS = ["superblob", "nn_archive", "ir"];
const FIRST = ["shaves", "preset", "input_precision", "target"];
const GROUPS: Record<string, string> = {
  device: "Device",
  input: "Input of the network",
  network: "Network",
  framework: "Framework",
  result: "More results",
};

const label = (name: string) => {
  const words = name.replace(/_/g, " ");
  const known: Record<string, string> = {
    shaves: "SHAVEs",
    slices: "CMX slices",
    target: "OpenVINO version",
    preset: "Pictures are normalised as for",
    input_precision: "Precision of inputs",
    output_precision: "Precision of outputs",
    io_precision: "Precision by name",
    reverse_input_channels: "Reverse the channels (RGB, BGR)",
    ir: "OpenVINO IR",
    ir_version: "Version of that IR",
    nn_archive: "NN archive",
    dai_type: "Frames for pictures",
    json_config: "For detection nodes (JSON)",
    heads: "Heads for decoders (JSON)",
    cut_unsupported: "Cut where layers are not supported",
    config: "Configuration keys",
  };
  return known[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
};

function Field(p: { of: OptionInfo; value: unknown; set: (v: unknown) => void }) {
  const { of: o, value, set } = p;
  const id = `option-${o.name}`;
  const described = { id, "aria-describedby": `${id}-text` };
  const text = value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  if (o.type === "boolean")
    return (
      <div class="field check">
        <label for={id}>
          <input
            type="checkbox"
            {...described}
            checked={value === undefined ? o.default === true : value === true}
            onChange={(e) => set(e.currentTarget.checked)}
          />{" "}
          {label(o.name)}
        </label>
        <small id={`${id}-text`}>{o.text}</small>
      </div>
    );
  return (
    <div class="field">
      <label for={id}>{label(o.name)}</label>
      {o.type === "choice" ? (
        <select {...described} value={text} onChange={(e) => set(e.currentTarget.value || undefined)}>
          <option value="">{o.default === undefined ? (o.name === "preset" ? "not at all" : "as the model wants it") : `${String(o.default)} (default)`}</option>
          {o.choices
            ?.filter((c) => c !== o.default)
            .map((c) => (
              <option key={c} value={c}>
                {c}
              </option>
            ))}
        </select>
      ) : (
        <input
          {...described}
          type={(o.type === "integer" || o.type === "number" ? "number" : "text") as "text"}
          min={o.minimum}
          max={o.maximum}
          step={o.type === "number" ? "any" : undefined}
          placeholder={o.default === undefined ? "" : String(o.default)}
          value={text}
          spellcheck={false}
          onInput={(e) => {
            const v = e.currentTarget.value;
            const isNumber = o.type === "integer" || o.type === "number";
            set(v === "" ? undefined : isNumber ? Number(v) : v);
          }}
        />
      )}
      <small id={`${id}-text`}>{o.text}</small>
    </div>
  );
}

export function Speeds(p: { of: Estimated; shaves: number; choose?: (n: number) => void }) {
  const list = p.of.by_shaves ?? [];
  const most = Math.max(...list.map((s) => s.range?.[1] ?? 0), 1);
  const bar = (s: Speed) => (
    <>
      <span class="bar" aria-hidden="true">
        <i class="range" style={{ left: `${(100 * s.range[0]) / most}%`, width: `${(100 * (s.range[1] - s.range[0])) / most}%` }} />
        <i class="value" style={{ width: `${(100 * s.fps) / most}%` }} />
      </span>
      <span class="n">
        <b>{fps(s.fps)}</b> FPS <span class="dim">{`${fps(s.range[0])}–${fps(s.range[1])}`}</span>
      </span>
    </>
  );
  return (
    <div class="speeds">
      <ul aria-label="Estimated speed by number of SHAVEs">
        {list.map((s) => (
          <li key={s.shaves} class={`${s.shaves === p.shaves ? "on" : ""} ${s.shaves === p.of.best_shaves ? "best" : ""}`}>
            {p.choose ? (
              <button type="button" aria-pressed={s.shaves === p.shaves} onClick={() => p.choose?.(s.shaves)}>
                {s.shaves}
              </button>
            ) : (
              <span>{s.shaves}</span>
            )}
            {s.error ? <span class="dim wide">does not fit</span> : bar(s)}
            {s.shaves === p.of.best_shaves && <span class="chip done">best</span>}
          </li>
        ))}
      </ul>
      <p class="dim">
        Estimates; the range holds for nine networks of ten. Up to 8 SHAVEs two inferences run at once. Cameras and depth take
        SHAVEs of their own, so leave some to them.
      </p>
    </div>
  );
}

function Shaves(p: { of: OptionInfo; value: unknown; set: (v: unknown) => void; speeds?: Estimated }) {
  const chosen = Number(p.value ?? p.of.default ?? 6);
  return (
    <div class="field">
      <label for="option-shaves">
        SHAVEs <output>{chosen}</output>
      </label>
      <input
        id="option-shaves"
        type="range"
        min={p.of.minimum ?? 1}
        max={p.of.maximum ?? 16}
        value={chosen}
        aria-describedby="option-shaves-text"
        onInput={(e) => p.set(Number(e.currentTarget.value))}
      />
      <small id="option-shaves-text">{p.of.text}</small>
      {p.speeds && <Speeds of={p.speeds} shaves={chosen} choose={p.set} />}
    </div>
  );
}

/// What differs from the defaults, as it is sent.
export function stated(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined && v !== ""));
}

export function OptionsForm(p: {
  info: Info;
  job: string;
  options: Options;
  set: (o: Options) => void;
  check?: Check;
  cuttable: boolean;
  submit: (kind: Kind, more?: Options) => void;
  busy: boolean;
}) {
  const [speeds, setSpeeds] = useState<Estimated>();
  const [asked, setAsked] = useState(false);
  const [error, setError] = useState<unknown>();
  const known = p.info.options.filter((o) => o.kinds.includes("convert"));
  const first = FIRST.flatMap((n) => known.filter((o) => o.name === n));
  const results = known.filter((o) => RESULTS.includes(o.name));
  const rest = known.filter((o) => !first.includes(o) && !results.includes(o));
  const groups = [...new Set(rest.map((o) => o.group ?? "network"))];
  const change = (name: string) => (v: unknown) => p.set({ ...p.options, [name]: v });
  const estimate = () => {
    setAsked(true);
    setError(undefined);
    const taken = p.info.options.filter((o) => o.kinds.includes("estimate")).map((o) => o.name);
    const options = Object.fromEntries(Object.entries(stated(p.options)).filter(([k]) => taken.includes(k)));
    report<Estimated>("estimate", { ...options, job: p.job, model: modelOf(p.options) })
      .then(setSpeeds, setError)
      .finally(() => setAsked(false));
  };
  const field = (o: OptionInfo) => <Field key={o.name} of={o} value={p.options[o.name]} set={change(o.name)} />;
  return (
    <form
      class="options"
      onSubmit={(e) => {
        e.preventDefault();
        p.submit("convert");
      }}
    >
      {first.map((o) =>
        o.name === "shaves" ? (
          <Shaves key="shaves" of={o} value={p.options.shaves} set={change("shaves")} speeds={speeds} />
        ) : (
          field(o)
        ),
      )}
      {!speeds && !asked && p.check?.compiles !== false && (
        <button type="button" class="quiet" onClick={estimate}>
          How fast will it be?
        </button>
      )}
      {asked && <Busy text="Estimating the speed with 1 to 16 SHAVEs" />}
      {error !== undefined && <Problems list={problemsOf(error)} />}
      {results.length > 0 && (
        <fieldset>
          <legend>Beside the blob, or in its place</legend>
          {results.map(field)}
        </fieldset>
      )}
      {groups.map((g) => (
        <details key={g}>
          <summary>{GROUPS[g] ?? g}</summary>
          {rest.filter((o) => (o.group ?? "network") === g).map(field)}
        </details>
      ))}
      <div class="actions">
        <button type="submit" class="primary" disabled={p.busy}>
          Convert
        </button>
        {p.check?.compiles === false && p.cuttable && (
          <button type="button" disabled={p.busy} onClick={() => p.submit("convert", { cut_unsupported: true })}>
            Convert the part that can be
          </button>
        )}
        <button type="button" disabled={p.busy} onClick={() => p.submit("check")}>
          Check again
        </button>
      </div>
    </form>
  );
}

const modelOf = (o: Options) => (typeof o.model === "string" ? o.model : undefined);
