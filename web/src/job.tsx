// A job: what happens to it, and what came of it. Its address can be shared.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { BlobView } from "./blob/view";
import { CheckReport, Facts, Ports, Verdict } from "./check";
import { cancelJob, ended, failure, fetchJson, getInfo, getJob, hasEnded, report, reportOf, resultOf, submit, watch } from "./api";
import { Calls, commandLine } from "./calls";
import { CompareView } from "./compare";
import { bytes, fps, percent, plural, time } from "./format";
import { formatOf } from "./files";
import { StateChip } from "./home";
import { OptionsForm, Speeds, stated } from "./options";
import { keepSettings, keptSettings, remember } from "./recent";
import type {
  Archive,
  Check,
  Compared,
  Estimated,
  Info,
  Inspected,
  Job,
  Kind,
  LogLine,
  Options,
  Port,
  Result,
  StageLayers,
  Superblob,
} from "./types";
import { Busy, Card, CopyButton, Fact, Later, Problems, problemsOf, Tabs, type Tab } from "./ui";

const WORDS: Record<string, string> = {
  downloading: "downloading the files",
  reading: "reading the model",
  converting: "simplifying layers",
  lowering: "turning layers into stages",
  passes: "planning memory and processors",
  writing: "writing the blob",
  running: "running both",
};
const PHASES = ["downloading", "reading", "converting", "lowering", "passes", "writing", "running"];
const DOING: Record<Kind, string> = {
  check: "Checking",
  convert: "Converting",
  inspect: "Opening",
  compare: "Comparing",
  estimate: "Estimating",
};

function Progress(p: { job: Job; cancel: () => void }) {
  const { job } = p;
  const phases = PHASES.slice(job.options.zoo ? 0 : 1, job.kind === "compare" ? 7 : 6);
  const phase = job.state === "queued" ? `waiting, ${plural(job.ahead ?? 0, "job")} before it` : WORDS[job.phase] ?? (job.phase || "starting");
  return (
    <Card class="running">
      <div class="progress" role="status">
        <p>
          <b>
            {DOING[job.kind]} {job.name}
          </b>
          : {phase} <span class="n">{percent(job.fraction)}</span>
        </p>
        <progress value={job.fraction} aria-label="Done" />
        {phases.includes(job.phase) && (
          <p class="dim">
            step {phases.indexOf(job.phase) + 1} of {phases.length}
          </p>
        )}
      </div>
      <button type="button" onClick={p.cancel}>
        Cancel
      </button>
    </Card>
  );
}

function Log(p: { lines: LogLine[]; open: boolean }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [p.lines.length]);
  if (!p.lines.length) return null;
  return (
    <details class="log" open={p.open}>
      <summary>Log ({plural(p.lines.length, "line")})</summary>
      <pre ref={box} tabIndex={0} aria-label="Log">
        {p.lines.map((l, i) => (
          <span key={i} class={l.stream}>
            {l.text}
            {"\n"}
          </span>
        ))}
      </pre>
    </details>
  );
}

const KINDS: Record<string, string> = {
  blob: "Blob",
  superblob: "Superblob",
  nnarchive: "NN archive",
  ir: "OpenVINO IR",
  report: "Report",
  html: "Page",
  layers: "Layers and stages",
  json_config: "For detection nodes",
  before: "Model before the blob",
  after: "Model behind the blob",
};

function Downloads(p: { job: Job }) {
  return (
    <ul class="downloads">
      {p.job.results.map((r, i) => (
        <li key={r.kind}>
          <a class={i === 0 ? "button primary" : "button"} href={r.url} download={r.name}>
            {i === 0 && "Download "}
            {i === 0 && r.kind !== "nnarchive" ? (KINDS[r.kind] ?? r.kind).toLowerCase() : (KINDS[r.kind] ?? r.kind)} <small>{bytes(r.size)}</small>
          </a>
        </li>
      ))}
    </ul>
  );
}

interface Conversion {
  bytes: number;
  inputs: Port[];
  outputs: Port[];
  milliseconds?: number;
  rewrites: { layer: string; type: string; replacement: string; max_error: number }[];
  not_as_intel: { layer: string; what: string }[];
  warnings: { layer: string; type: string; what: string }[];
  raw_pictures?: { layer: string }[]; // not of jobs of earlier versions
}

/// What was decided for the user, layer by layer.
function Remarks(p: { of: Conversion }) {
  const { rewrites, not_as_intel, warnings, raw_pictures = [] } = p.of;
  if (!rewrites.length && !not_as_intel.length && !warnings.length && !raw_pictures.length) return null;
  return (
    <Card title="Good to know">
      <ul class="warnings">
        {raw_pictures.map((w) => (
          <li key={w.layer}>
            <span class="name">{w.layer}</span>: pictures reach the network as the camera delivers them, 0 to 255. Most networks
            were trained on others: “Pictures are normalised as for” says on which.
          </li>
        ))}
        {warnings.map((w, i) => (
          <li key={i} class="bad">
            <b>{w.type}</b> <span class="name">{w.layer}</span>: {w.what}
          </li>
        ))}
        {not_as_intel.map((w, i) => (
          <li key={i}>
            <span class="name">{w.layer}</span>: {w.what} <span class="dim">(not as Intel's tools)</span>
          </li>
        ))}
        {rewrites.map((w, i) => (
          <li key={i}>
            <b>{w.type}</b> <span class="name">{w.layer}</span> became {w.replacement}{" "}
            <span class="dim">largest error {w.max_error.toExponential(1)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Estimate(p: { of: Estimated }) {
  const e = p.of;
  return (
    <>
      <dl class="facts">
        <Fact name="Speed" note={`likely ${fps(e.range[0])} to ${fps(e.range[1])}`}>
          <b class="large">{fps(e.fps)}</b> FPS
        </Fact>
        <Fact name="Latency">{time(1000 * e.latency_ms)}</Fact>
        <Fact name="Bound by">{e.bound}</Fact>
        {e.gflops ? <Fact name="Work">{e.gflops.toFixed(2)} GFLOPs</Fact> : null}
        {e.mparams ? <Fact name="Parameters">{e.mparams.toFixed(2)} million</Fact> : null}
      </dl>
      {e.measured?.map((m) => (
        <p key={m.source + m.device}>
          Measured as {m.model}: <b>{fps(m.fps)} FPS</b> on {m.device}, {m.toolchain}
        </p>
      ))}
      {e.caveats.map((c) => (
        <p key={c} class="dim">
          {c}
        </p>
      ))}
      {e.by_shaves && <Speeds of={e} shaves={e.shaves} />}
    </>
  );
}

type Reported = Inspected | Superblob | Archive;

/// The superblob of a report; nothing where there is one blob.
function superblobOf(report: Reported): Superblob | undefined {
  const model = "model" in report ? report.model : report;
  return "base" in model ? model : undefined;
}

const blobOf = (report: Reported): Inspected => {
  if ("model" in report) return blobOf(report.model);
  return "base" in report ? report.base : report;
};

/// The view of a blob with all that can be had for it. `of`: the job whose blob it is.
function Inside(p: { blob: Inspected; of: Job; layers?: Result }) {
  const get = async () => {
    const layers = p.layers ?? resultOf(p.of, "layers");
    const [times, links] = await Promise.all([
      report<Estimated>("estimate", { job: p.of.id }).catch(() => undefined),
      layers ? fetchJson<StageLayers>(layers).catch(() => undefined) : undefined,
    ]);
    return { times, links };
  };
  const fits = (n?: number) => n === p.blob.stages.length;
  return (
    <Later
      get={get}
      what="Estimating its stages"
      show={({ times, links }) => (
        <BlobView
          blob={p.blob}
          times={times && fits(times.stages.length) ? times : undefined}
          layers={links && fits(links.stages.length) ? links : undefined}
        />
      )}
    />
  );
}

/// A superblob or an archive says nothing about layers; converting its model for one number of SHAVEs does.
async function layersOf(of: Job, shaves: number): Promise<Job> {
  const { superblob: _s, nn_archive: _n, heads: _h, dai_type: _d, json_config: _j, ir: _i, ir_version: _v, ...options } = of.options;
  return ended(await submit({ ...options, kind: "convert", job: of.id, shaves }));
}
/// Its layers, if it made this very blob.
const links = (converted?: Job, blob?: Result): Result | undefined =>
  converted && blob && resultOf(converted, "blob")?.sha256 === blob.sha256 ? resultOf(converted, "layers") : undefined;

/// The blob for one number of SHAVEs out of a superblob or an archive.
function Version(p: { job: Job; shaves: number }) {
  const get = async () => {
    const [job, layers] = await Promise.all([
      submit({ kind: "inspect", job: p.job.id, shaves: p.shaves }).then(ended),
      p.job.kind === "convert" ? layersOf(p.job, p.shaves).catch(() => undefined) : undefined,
    ]);
    if (job.state !== "done") throw failure(job);
    return { job, blob: await reportOf<Inspected>(job), layers: links(layers, resultOf(job, "blob")) };
  };
  return (
    <Later
      get={get}
      what={`Taking out the blob for ${plural(p.shaves, "SHAVE")}`}
      show={({ job, blob, layers }) => (
        <>
          <Downloads job={{ ...job, results: job.results.filter((r) => r.kind === "blob") }} />
          <Inside blob={blob} of={job} layers={layers} />
        </>
      )}
    />
  );
}

/// A blob for every number of SHAVEs: one of them is looked into, and can be had alone.
function Versions(p: { job: Job; of: Superblob }) {
  const stated = Number(p.job.options.shaves ?? 6);
  const [shaves, choose] = useState(p.of.patches.some((v) => v.shaves === stated) ? stated : 8);
  return (
    <>
      <Card title="A blob for every number of SHAVEs" class="versions">
        <label for="version">Look into the blob for</label>{" "}
        <select id="version" value={shaves} onChange={(e) => choose(Number(e.currentTarget.value))}>
          {p.of.patches.map((v) => (
            <option key={v.shaves} value={v.shaves}>
              {`${plural(v.shaves, "SHAVE")}: ${v.bytes ? `patch of ${bytes(v.bytes)}` : `the base, ${bytes(p.of.base_size)}`}`}
            </option>
          ))}
        </select>
      </Card>
      <Version key={shaves} job={p.job} shaves={shaves} />
    </>
  );
}

function Contents(p: { job: Job }) {
  const own = p.job.kind === "inspect";
  return (
    <Later
      get={() => (own ? reportOf<Reported>(p.job) : report<Reported>("inspect", { job: p.job.id }))}
      what="Reading the blob"
      show={(r) => {
        const superblob = superblobOf(r);
        if (superblob) return <Versions job={p.job} of={superblob} />;
        const blob = blobOf(r);
        return "model" in r ? <Version job={p.job} shaves={blob.header.shaves} /> : <Inside blob={blob} of={p.job} />;
      }}
    />
  );
}

function Netron(p: { job: Job; info: Info }) {
  const shown = p.job.files.find((f) => !/\.(bin|blob|superblob|prototxt|npy)$/.test(f.name)) ?? p.job.files[0];
  if (!p.info.netron) return <p class="dim">This server was built without Netron.</p>;
  if (!shown) return <p class="dim">The files of this job are not kept.</p>;
  const query = new URLSearchParams({ url: new URL(shown.url, location.href).pathname, identifier: shown.name });
  return <iframe class="netron" title={`Netron: the graph of ${shown.name}`} src={`netron/index.html?${query}`} />;
}

function Comparison(p: { job: Job; info: Info }) {
  const [asked, ask] = useState(false);
  const taken = p.info.options.filter((o) => o.kinds.includes("compare") && o.kinds.includes("convert")).map((o) => o.name);
  const told = Object.fromEntries(Object.entries(p.job.options).filter(([name]) => taken.includes(name)));
  if (!asked)
    return (
      <div>
        <p>
          Runs the model in FP32 and the blob in an emulator of the chip on the same random inputs, and holds every tensor of
          both against each other.
        </p>
        <button type="button" onClick={() => ask(true)}>
          Compare
        </button>
      </div>
    );
  return (
    <Later
      get={() => report<Compared>("compare", { ...told, job: p.job.id })}
      what="Running model and blob"
      show={(c) => <CompareView of={c} />}
    />
  );
}

function Done(p: { job: Job; info: Info }) {
  const { job } = p;
  const tabs: Tab[] = [];
  const hasModel = job.files.some((f) => !/\.(blob|superblob|xz)$/.test(f.name));
  if (job.kind === "convert" || job.kind === "inspect") tabs.push({ name: "Blob", body: () => <Contents job={job} /> });
  if (job.kind === "compare")
    tabs.push({
      name: "Comparison",
      body: () => <Later get={() => reportOf<Compared>(job)} what="Reading the report" show={(c) => <CompareView of={c} />} />,
    });
  if (job.kind === "estimate")
    tabs.push({
      name: "Speed",
      body: () => <Later get={() => reportOf<Estimated>(job)} what="Reading the report" show={(e) => <Estimate of={e} />} />,
    });
  if (job.kind === "convert")
    tabs.push(
      {
        name: "Speed",
        body: () => (
          <Later
            get={() => report<Estimated>("estimate", { job: job.id })}
            what="Estimating"
            show={(e) => <Estimate of={e} />}
          />
        ),
      },
      { name: "Compare", body: () => <Comparison job={job} info={p.info} /> },
    );
  if (hasModel) tabs.push({ name: "Netron", body: () => <Netron job={job} info={p.info} /> });
  return (
    <>
      {job.kind === "convert" && (
        <Card title="Result">
          <Downloads job={job} />
          {hasModel && (
            <Next job={job}>
              {(again) => (
                <p class="next">
                  <button type="button" class="link" onClick={again}>
                    Change the settings and convert again
                  </button>{" "}
                  · <a href="#/">Another model</a>
                </p>
              )}
            </Next>
          )}
          {resultOf(job, "report") && (
            <Later
              get={() => reportOf<Conversion>(job)}
              what="Reading the report"
              show={(r) => (
                <dl class="facts">
                  <Fact name="Blob">{bytes(r.bytes)}</Fact>
                  <Fact name={r.inputs.length === 1 ? "Input" : "Inputs"}>
                    <Ports list={r.inputs} />
                  </Fact>
                  <Fact name={r.outputs.length === 1 ? "Output" : "Outputs"}>
                    <Ports list={r.outputs} />
                  </Fact>
                  <Fact name="Took">
                    {job.cached ? "no time: it was converted before" : time(1e6 * ((job.finished ?? 0) - (job.started ?? 0)))}
                  </Fact>
                </dl>
              )}
            />
          )}
        </Card>
      )}
      {job.kind === "convert" && resultOf(job, "report") && (
        <Later get={() => reportOf<Conversion>(job)} what="" show={(r) => <Remarks of={r} />} />
      )}
      {tabs.length > 0 && <Tabs tabs={tabs} label="What there is to see" />}
    </>
  );
}

/// The model before it is converted: what it is, and the form.
function Before(p: { job: Job; info: Info; check?: Check }) {
  const { kind: _k, job: _j, ...first } = p.job.options;
  const [options, set] = useState<Options>({ ...first, ...keptSettings(p.job.id) });
  const [busy, setBusy] = useState(false);
  const [graph, setGraph] = useState(false); // Netron draws nothing where it can't be seen
  const [error, setError] = useState<unknown>();
  const start = async (kind: Kind, more: Options = {}) => {
    setBusy(true);
    setError(undefined);
    const taken = p.info.options.filter((o) => o.kinds.includes(kind)).map((o) => o.name);
    const told = Object.fromEntries(
      Object.entries(stated({ ...options, ...more })).filter(([k]) => taken.includes(k) || k === "model"),
    );
    try {
      const job = await submit({ ...told, kind, job: p.job.id });
      remember(job.id);
      if (kind === "check") keepSettings(job.id, stated(options));
      location.hash = `#/jobs/${job.id}`;
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  const command = commandLine(p.info, p.job, stated(options));
  const format = p.job.files.map((f) => formatOf(f.name, p.info.formats)?.name).find(Boolean);
  const cuttable = p.job.files.some((f) => f.name.endsWith(".onnx"));
  return (
    <div class="before">
      <div>
        {p.check && (
          <Verdict check={p.check}>
            {p.check.compiles ? (
              <button type="submit" form="conversion" class="primary" disabled={busy}>
                Convert
              </button>
            ) : (
              cuttable && (
                <button type="button" disabled={busy} onClick={() => void start("convert", { cut_unsupported: true })}>
                  Convert the part that can be
                </button>
              )
            )}
          </Verdict>
        )}
        <Card>
          <Facts job={p.job} info={p.info} check={p.check} />
        </Card>
        {p.check ? <CheckReport check={p.check} /> : <Problems list={failure(p.job).problems} />}
        {p.info.netron && (
          <details class="card" onToggle={(e) => setGraph(e.currentTarget.open)}>
            <summary>Graph of the model (Netron)</summary>
            {graph && <Netron job={p.job} info={p.info} />}
          </details>
        )}
      </div>
      <aside>
        <Card title="Settings">
          <OptionsForm
            info={p.info}
            job={p.job.id}
            options={options}
            set={set}
            check={p.check}
            cuttable={cuttable}
            format={format}
            id="conversion"
            submit={(k, more) => void start(k, more)}
            busy={busy}
          />
          {error !== undefined && <Problems list={problemsOf(error)} title="This did not work" />}
        </Card>
        <Calls job={p.job} command={command} options={options} />
      </aside>
    </div>
  );
}

/// Back to the settings, with those of this job.
async function change(of: Job): Promise<void> {
  const { kind: _kind, job: _of, ...options } = of.options;
  const known = (await getInfo()).options.filter((o) => o.kinds.includes("check")).map((o) => o.name);
  const taken = Object.fromEntries(Object.entries(options).filter(([name]) => [...known, "model", "zoo"].includes(name)));
  const job = await submit({ ...taken, kind: "check", job: of.id });
  remember(job.id);
  keepSettings(job.id, options);
  location.hash = `#/jobs/${job.id}`;
}

/// Links back to the settings and to another model.
function Next(p: { job: Job; children: (change: () => void) => ComponentChildren }) {
  const [error, setError] = useState<unknown>();
  return (
    <>
      {p.children(() => void change(p.job).catch(setError))}
      {error !== undefined && <Problems list={problemsOf(error)} title="This did not work" />}
    </>
  );
}

/// There is nothing to set where the file is none of a model.
const isNoModel = (job: Job) => job.errors[0]?.code === "BS1007";

function Failed(p: { job: Job; info: Info }) {
  return (
    <>
      {p.job.state === "cancelled" ? (
        <p class="verdict">Cancelled. The files are still here: change the settings, or start again.</p>
      ) : (
        <Problems list={failure(p.job).problems} title={`${p.job.name} could not be ${isNoModel(p.job) ? "read" : "converted"}`} />
      )}
      <Next job={p.job}>
        {(again) => (
          <div class="actions">
            {!isNoModel(p.job) && (
              <button type="button" class="primary" onClick={again}>
                Change the settings
              </button>
            )}
            <a class="button" href="#/">
              Another model
            </a>
          </div>
        )}
      </Next>
    </>
  );
}

export function JobPage(p: { id: string; info: Info }) {
  const [job, setJob] = useState<Job>();
  // What was asked for before a job ended may be answered after its end has been told.
  const set = (next: Job) => setJob((now) => (now?.id === next.id && hasEnded(now) && !hasEnded(next) ? now : next));
  const [log, setLog] = useState<LogLine[]>([]);
  const [error, setError] = useState<unknown>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    let stop = () => undefined as void;
    let wanted = true;
    getJob(p.id).then((j) => {
      if (!wanted) return;
      remember(p.id);
      set(j);
      if (hasEnded(j)) return setLog(j.log);
      stop = watch(j, {
        state: (next) => {
          if (hasEnded(next)) setLog(next.log);
          set(next);
        },
        opened: () => setLog([]),
        lost: setError,
        log: (line) => setLog((all) => [...all, line].slice(-2000)),
      });
    }, setError);
    return () => {
      wanted = false;
      stop();
    };
  }, [p.id]);
  const ended = job && hasEnded(job);
  useEffect(() => {
    if (!job) return;
    document.title = `${job.name} – blobsmith`;
    return () => void (document.title = "blobsmith");
  }, [job?.name]);

  if (error !== undefined)
    return <Problems list={problemsOf(error)} title="This job is not here (any more)" />;
  if (!job) return <Busy text="Looking for the job" />;
  return (
    <>
      <div class="heading">
        <h1 class="name" ref={heading}>
          {job.name}
        </h1>
        <StateChip job={job} />
        <CopyButton text={location.href} label="Copy link" />
      </div>
      {!ended && <Progress job={job} cancel={() => void cancelJob(job.id).then(set, setError)} />}
      {ended && job.kind === "check" && resultOf(job, "report") && (
        <Later
          get={() => reportOf<Check>(job)}
          what="Reading the report"
          show={(check) => <Before job={job} info={p.info} check={check} />}
        />
      )}
      {job.state === "failed" && job.kind === "check" && !resultOf(job, "report") && !isNoModel(job) && (
        <Before job={job} info={p.info} />
      )}
      {ended && job.kind !== "check" && job.state === "done" && <Done job={job} info={p.info} />}
      {ended && (job.state === "cancelled" || (job.state === "failed" && (job.kind !== "check" || isNoModel(job)))) && <Failed job={job} info={p.info} />}
      <Log lines={log} open={!ended || job.state === "failed"} />
      {job.kind !== "check" && <Calls job={job} />}
    </>
  );
}
