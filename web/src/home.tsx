// Where everything begins: drop a file. What it is appears before any option is asked for.
import { useEffect, useRef, useState } from "preact/hooks";
import { getJobs, submit } from "./api";
import { formatOf, isBlob, isCompanion, kindFor, missing } from "./files";
import { filesOf, folderOf } from "./folder";
import { ago, bytes, percent } from "./format";
import { forget, recentIds, remember } from "./recent";
import type { Info, Job, Kind } from "./types";
import { Card, Problems, problemsOf } from "./ui";

const STATES = { queued: "waiting", running: "running", failed: "failed", cancelled: "cancelled" };
const DONE: Record<Kind, string> = {
  check: "checked",
  convert: "converted",
  inspect: "opened",
  compare: "compared",
  estimate: "estimated",
};

export function StateChip(p: { job: Job }) {
  const { state, kind } = p.job;
  return <span class={`chip ${state}`}>{state === "done" ? DONE[kind] : STATES[state]}</span>;
}

function Recent() {
  const [jobs, set] = useState<Job[]>([]);
  useEffect(() => {
    const ids = recentIds();
    getJobs(ids).then(
      (found) => {
        set(found);
        forget(ids.filter((id) => !found.some((j) => j.id === id)));
      },
      () => undefined,
    );
  }, []);
  if (!jobs.length) return null;
  return (
    <Card
      title="Recent"
      aside={
        <button type="button" class="quiet" onClick={() => (forget(jobs.map((j) => j.id)), set([]))}>
          Clear
        </button>
      }
    >
      <ul class="rows">
        {jobs.map((j) => (
          <li key={j.id}>
            <a href={`#/jobs/${j.id}`}>
              <span class="name">{j.name}</span>
              <StateChip job={j} />
              <span class="dim when">{ago(j.created)}</span>
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Home(p: { info: Info }) {
  const [files, setFiles] = useState<File[]>([]);
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState<number>();
  const [error, setError] = useState<unknown>();
  const picker = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { limits, formats } = p.info;

  const send = async (list: File[]) => {
    setError(undefined);
    const total = list.reduce((n, f) => n + f.size, 0);
    if (total > limits.upload_bytes) {
      setError(new Error(`These files have ${bytes(total)}; this server takes ${bytes(limits.upload_bytes)}.`));
      return;
    }
    setSent(0);
    try {
      const job = await submit({ kind: kindFor(list) }, list, setSent);
      remember(job.id);
      location.hash = `#/jobs/${job.id}`;
    } catch (e) {
      setError(e);
      setSent(undefined);
    }
  };
  const take = (more: File[]) => {
    if (!more.length || sent !== undefined) return;
    const names = new Set(more.map((f) => f.name));
    // Another whole model takes the place of one that lacks a file.
    const whole = !missing(more) && more.some((f) => formatOf(f.name, formats) && !isCompanion(f.name));
    const all = whole ? more : [...files.filter((f) => !names.has(f.name)), ...more];
    setFiles(all);
    if (!missing(all)) void send(all);
  };
  useEffect(() => {
    const drop = (e: DragEvent) => {
      e.preventDefault();
      setOver(false);
      if (e.dataTransfer) filesOf(e.dataTransfer).then(take, setError);
    };
    const drag = (e: DragEvent) => {
      e.preventDefault();
      setOver(e.type === "dragover");
    };
    window.addEventListener("drop", drop);
    window.addEventListener("dragover", drag);
    window.addEventListener("dragleave", drag);
    return () => {
      window.removeEventListener("drop", drop);
      window.removeEventListener("dragover", drag);
      window.removeEventListener("dragleave", drag);
    };
  });

  const lacking = missing(files);
  return (
    <>
      <div class="hero">
        <h1>Convert a neural network to a MyriadX blob</h1>
        <p>
          Drop a model: see at once what is in it, whether the chip can run it, and how fast it will be. Then download the
          blob for your OAK camera or Neural Compute Stick.
        </p>
      </div>
      <div class={`drop ${over ? "over" : ""}`}>
        {sent !== undefined ? (
          <div class="progress" role="status">
            <p>
              Sending {files.map((f) => f.name).join(", ")}: {percent(sent)}
            </p>
            <progress value={sent} aria-label="Sent" />
          </div>
        ) : (
          <>
            <svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true">
              <path d="M24 32V10M15 18l9-9 9 9M8 30v8h32v-8" />
            </svg>
            <p class="big">{lacking ? "One more file, please" : "Drop your model here"}</p>
            <button type="button" class="primary" onClick={() => picker.current?.click()}>
              {lacking ? "Add files" : "Choose files"}
            </button>
            <input
              ref={picker}
              type="file"
              multiple
              id="files"
              class="hidden"
              aria-label="Files of a model"
              tabIndex={-1}
              onChange={(e) => {
                take([...(e.currentTarget.files ?? [])]);
                e.currentTarget.value = "";
              }}
            />
            <input
              ref={folder}
              type="file"
              id="folder"
              class="hidden"
              aria-label="Folder of a model"
              tabIndex={-1}
              {...{ webkitdirectory: true }}
              onChange={(e) => {
                if (e.currentTarget.files) take(folderOf(e.currentTarget.files));
                e.currentTarget.value = "";
              }}
            />
            {lacking ? (
              <div class="lacking" role="status">
                <ul>
                  {files.map((f) => (
                    <li key={f.name}>
                      <span class="name">{f.name}</span>
                      <span class="dim">
                        {isBlob(f.name) ? "blob" : (formatOf(f.name, formats)?.name ?? "")} {bytes(f.size)}
                      </span>
                    </li>
                  ))}
                </ul>
                <p>
                  <b>{lacking}</b>
                </p>
                <button type="button" class="quiet" onClick={() => void send(files)}>
                  Go on without
                </button>
                <button type="button" class="quiet" onClick={() => setFiles([])}>
                  Start again
                </button>
              </div>
            ) : (
              <p class="dim">
                or{" "}
                <button type="button" class="link" onClick={() => folder.current?.click()}>
                  a folder
                </button>{" "}
                (a SavedModel). No model at hand? <a href="#/zoo">Take one from the zoo</a>.
              </p>
            )}
          </>
        )}
      </div>
      {error !== undefined && <Problems list={problemsOf(error)} title="This did not work" />}
      <Recent />
      <Card title="Files that are understood">
        <ul class="formats">
          {formats.map((f) => (
            <li key={f.name}>
              <b>{f.name === "archive" ? "A folder, or an archive of such files" : f.name}</b>
              <span class="dim">{[...f.endings, ...f.files.map((x) => `+ ${x}`)].filter(Boolean).join(" ")}</span>
            </li>
          ))}
          <li>
            <b>A finished blob</b>
            <span class="dim">.blob .superblob .tar.xz, to look inside; dropped with its model, to compare the two</span>
          </li>
        </ul>
      </Card>
    </>
  );
}
