// The form of a conversion. Which options there are the server says; those that most people need come first.
import { useState } from "preact/hooks";
import { report } from "./api";
import { fps } from "./format";
import type { Check, Estimated, Info, Kind, OptionInfo, Options, Speed } from "./types";
import { Busy, Problems, problemsOf } from "./ui";

const RESULTS = ["superblob", "nn_archive", "ir"];
const FIRST = ["shaves", "preset", "input_precision", "target"];
const GROUPS: Record<string, string> = {
  device: "Chip and precision",
  input: "Preprocessing of inputs",
  network: "Shapes and parts of the network",
  framework: "Format of the model",
  result: "More results",
};

const LABELS: Record<string, string> = {
  shaves: "SHAVEs",
  slices: "CMX slices",
  target: "OpenVINO version",
  preset: "Image normalisation",
  input_precision: "Input precision",
  output_precision: "Output precision",
  io_precision: "Precision by name",
  quirks: "Repeat known errors of Intel's tools",
  config: "Configuration keys",
  mean_values: "Mean values",
  scale_values: "Scale values",
  reverse_input_channels: "Swap red and blue (RGB, BGR)",
  batch: "Batch size",
  inputs: "First layers",
  outputs: "Last layers",
  freeze_placeholder_with_value: "Inputs that become constants",
  static_shape: "Fixed shapes",
  disable_fusing: "Don't merge factors and offsets into layers",
  disable_gfusing: "Don't merge grouped convolutions",
  disable_resnet_optimization: "Don't move strides (ResNet)",
  enable_concat_optimization: "Share Concats that read the same",
  finegrain_fusing: "Layers to leave as they are",
  strip_quant: "Drop the rounding of a quantized model",
  yolo_head: "Outputs for the camera's YOLO decoder",
  nd_prefix_name: "Prefix of .nd files",
  input_checkpoint: "Checkpoint",
  saved_model_tags: "Tags of the SavedModel",
  object_detection_config: "pipeline.config",
  input_model_is_text: "The model is a text file",
  disable_nhwc_to_nchw: "Keep channels last (NHWC)",
  remove_output_softmax: "Remove the last SoftMax",
  remove_memory: "Turn memories into inputs and outputs",
  ir: "OpenVINO IR",
  ir_version: "Version of that IR",
  nn_archive: "NN archive",
  dai_type: "Frame type of images",
  json_config: "Settings for depthai's detection nodes (JSON)",
  heads: "Heads for decoders (JSON)",
  cut_unsupported: "Cut off layers that are not supported",
};
const label = (name: string) => LABELS[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replace(/_/g, " ");

/// Options of one framework say so first ("Caffe: ..."); those of others are of no use.
const FRAMEWORKS = ["Caffe", "TensorFlow", "MXNet", "Kaldi"];
const concerns = (o: OptionInfo, format?: string) => {
  const own = FRAMEWORKS.find((f) => o.text.startsWith(`${f}:`));
  return !own || !format || format.startsWith(own) || format === "archive";
};

const PRESETS: Record<string, string> = {
  imagenet: "ImageNet (torchvision, timm)",
  yolo: "YOLO (Ultralytics)",
  unit: "to 0 … 1",
  signed: "to -1 … 1",
  caffe: "Caffe (BGR, mean of ImageNet)",
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
          <option value="">{o.default === undefined ? (o.name === "preset" ? "none" : "automatic") : `${String(o.default)} (default)`}</option>
          {o.choices
            ?.filter((c) => c !== o.default)
            .map((c) => (
              <option key={c} value={c}>
                {o.name === "preset" ? (PRESETS[c] ?? c) : c}
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
        Estimates: nine of ten networks are within the range. With up to 8 SHAVEs two inferences run at once. The camera's own
        work (depth, video) needs SHAVEs too: leave it some.
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
  format?: string;
  id: string;
  submit: (kind: Kind, more?: Options) => void;
  busy: boolean;
}) {
  const [speeds, setSpeeds] = useState<Estimated>();
  const [asked, setAsked] = useState(false);
  const [error, setError] = useState<unknown>();
  const known = p.info.options.filter((o) => o.kinds.includes("convert") && concerns(o, p.format));
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
      id={p.id}
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
          Estimate the speed
        </button>
      )}
      {asked && <Busy text="Estimating the speed with 1 to 16 SHAVEs" />}
      {error !== undefined && <Problems list={problemsOf(error)} />}
      {results.length > 0 && (
        <fieldset>
          <legend>Other results</legend>
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
