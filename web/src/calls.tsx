// The same call elsewhere: command line, curl, Python, the blobconverter package.
import { stated } from "./options";
import type { Info, Job, Options } from "./types";
import { Card, CopyButton, Tabs } from "./ui";

const quote = (s: string) => (/^[\w./=:,@%+-]+$/.test(s) ? s : `'${s.replace(/'/g, `'\\''`)}'`);
const root = () => new URL(".", location.href).href.replace(/\/$/, "");

function python(v: unknown): string {
  if (v === true) return "True";
  if (v === false) return "False";
  return JSON.stringify(v);
}

function Snippet(p: { text: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0}>{p.text}</pre>
      <CopyButton text={p.text} />
    </div>
  );
}

function curl(files: string[], options: Options): string {
  const parts = [`-F ${quote(`options=${JSON.stringify(options)}`)}`, ...files.map((f) => `-F ${quote(`file=@${f}`)}`)];
  return `# submit, wait for the last event, take the blob
id=$(curl -sS ${parts.join(" ")} \\
  ${root()}/api/v1/jobs | sed -n 's/.*"id": *"\\([0-9a-z]*\\)".*/\\1/p')
curl -sSN ${root()}/api/v1/jobs/$id/events > /dev/null
curl -sSfOJ ${root()}/api/v1/jobs/$id/result`;
}

/// What the server would run for these options, as it is typed.
export function commandLine(info: Info, job: Job, options: Options): string {
  const zoo = options.zoo as { name?: string } | string | undefined;
  const name = typeof zoo === "string" ? zoo : zoo?.name;
  const ending = options.nn_archive ? "rvc2.tar.xz" : options.superblob ? "superblob" : "blob";
  const words = name ? ["zoo", "convert", name, "--"] : ["convert", String(options.model ?? job.files[0]?.name)];
  words.push("-o", `${job.name}.${ending}`);
  for (const o of info.options) {
    const value = options[o.name];
    if (!o.kinds.includes("convert") || value === undefined || value === "" || value === false) continue;
    if (o.name === "ir") words.push(o.flag, "ir");
    else if (o.name === "json_config") words.push(o.flag, `${job.name}.json`);
    else if (value === true) words.push(o.flag);
    else if (o.type === "shapes" && typeof value === "object")
      for (const [input, shape] of Object.entries(value as Record<string, number[]>)) words.push(o.flag, `${input}=${shape.join(",")}`);
    else if (o.name === "config") for (const line of String(value).split(/[\r\n]+/)) words.push(o.flag, line);
    else words.push(String(value).startsWith("-") ? `${o.flag}=${String(value)}` : o.flag, ...(String(value).startsWith("-") ? [] : [String(value)]));
  }
  return ["blobsmith", ...words.map(quote)].join(" ");
}

/// How a program loads the blob.
function loading(name: string): string {
  return `import depthai as dai

pipeline = dai.Pipeline()
network = pipeline.create(dai.node.NeuralNetwork)
network.setBlobPath("${name}")   # then link a camera to network.input`;
}

export function Calls(p: { job: Job; command?: string; options?: Options }) {
  const files = p.job.files.map((f) => f.name);
  const { kind: _kind, model: _model, job: _job, blob: _blob, zoo, no_cache: _again, ...options } = p.options ?? p.job.options;
  const told = stated(options);
  const model = files[0] ?? "model.onnx";
  const rest = Object.entries(told).map(([k, v]) => `, ${k}=${python(v)}`);
  const shaves = told.shaves === undefined ? "" : `, shaves=${python(told.shaves)}`;
  const blobconverter = /\.onnx$/.test(model)
    ? `blobconverter.from_onnx("${model}"${shaves})`
    : /\.xml$/.test(model)
      ? `blobconverter.from_openvino(xml="${model}", bin="${model.replace(/xml$/, "bin")}"${shaves})`
      : /\.pb$/.test(model)
        ? `blobconverter.from_tf("${model}"${shaves})`
        : `blobconverter.from_caffe(proto="${files.find((f) => f.endsWith("prototxt")) ?? "deploy.prototxt"}", model="${files.find((f) => f.endsWith("caffemodel")) ?? model}"${shaves})`;
  const blob = p.job.results.find((r) => r.kind === "blob" && p.job.kind === "convert");
  const tabs = [
    ...(blob ? [{ name: "On the camera", body: () => <Snippet text={loading(blob.name)} /> }] : []),
    { name: "Command line", body: () => <Snippet text={p.command ?? p.job.command} /> },
    { name: "curl", body: () => <Snippet text={curl(files, zoo ? { ...told, zoo } : told)} /> },
    {
      name: "Python",
      body: () => (
        <Snippet text={`import blobsmith\n\nblob = blobsmith.convert("${model}", "${p.job.name}.blob"${rest.join("")})`} />
      ),
    },
    {
      name: "blobconverter",
      body: () => (
        <Snippet
          text={`import blobconverter\n\nblobconverter.set_defaults(url="${root()}")\npath = ${blobconverter}`}
        />
      ),
    },
  ];
  return (
    <Card title={blob ? "Use it, or repeat it without the page" : "Do this without the page"}>
      <Tabs tabs={tabs} label="The same call" />
    </Card>
  );
}

export function ApiPage(p: { info: Info }) {
  const { limits, sandbox } = p.info;
  return (
    <>
      <h1>API</h1>
      <p>
        All that this page does goes through <code>{root()}/api/v1</code>; its{" "}
        <a href="api/v1/openapi.json">description (OpenAPI 3)</a> makes clients in most languages. The{" "}
        <code>blobconverter</code> package and scripts made for the original converter work with the same address.
      </p>
      <Card title="A conversion with curl">
        <Snippet text={curl(["model.onnx"], { shaves: 6 })} />
      </Card>
      <Card title="The blobconverter package">
        <Snippet
          text={`import blobconverter\n\nblobconverter.set_defaults(url="${root()}", version="2022.1")\npath = blobconverter.from_onnx("model.onnx", shaves=6)`}
        />
      </Card>
      <Card title="This server">
        <dl class="facts">
          <div class="fact">
            <dt>Version</dt>
            <dd>{p.info.version}</dd>
          </div>
          <div class="fact">
            <dt>OpenVINO versions</dt>
            <dd>{p.info.targets.join(", ")}</dd>
          </div>
          <div class="fact">
            <dt>A job may take</dt>
            <dd>
              {limits.seconds} s, {(limits.memory_bytes / 1e9).toFixed(1)} GB of memory, {(limits.upload_bytes / 1e6).toFixed(0)}{" "}
              MB of files
            </dd>
          </div>
          <div class="fact">
            <dt>Every job runs confined by</dt>
            <dd>
              {Object.entries(sandbox)
                .filter(([, holds]) => holds === true)
                .map(([name]) => name.replace(/_/g, " "))
                .join(", ") || "nothing"}
            </dd>
          </div>
        </dl>
      </Card>
    </>
  );
}
