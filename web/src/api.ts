// Calls of the server's /api/v1.
import type { FileEntry, Info, Job, Kind, LogLine, Options, Problem, Result, ZooModel } from "./types";

const ROOT = "api/v1";

/// What the server refused, or why a job failed.
export class CallError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: Problem[],
    readonly job?: string,
  ) {
    super(message);
  }
}

function refused(status: number, body: string, job?: string): CallError {
  try {
    const { message, errors } = JSON.parse(body) as { message: string; errors?: Problem[] };
    return new CallError(status, message, errors ?? [{ code: "", message }], job);
  } catch {
    const message = status ? `The server answered ${status}.` : "The server can't be reached.";
    return new CallError(status, message, [{ code: "", message }], job);
  }
}

export async function call<T>(path: string, init?: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`${ROOT}${path}`, init);
  } catch {
    throw refused(0, "");
  }
  const job = answer.headers.get("Location")?.split("/").pop();
  const body = await answer.text();
  if (!answer.ok) throw refused(answer.status, body, job);
  return JSON.parse(body) as T;
}

let info: Promise<Info> | undefined;
export function getInfo(): Promise<Info> {
  info ??= call<Info>("/info").catch((e) => {
    info = undefined;
    throw e;
  });
  return info;
}

export const getZoo = () => call<{ models: ZooModel[] }>("/zoo").then((z) => z.models);
export const getJob = (id: string) => call<Job>(`/jobs/${id}`);
export const getJobs = (ids: string[]) =>
  ids.length ? call<{ jobs: Job[] }>(`/jobs?ids=${ids.join(",")}`).then((r) => r.jobs) : Promise.resolve([]);
export const cancelJob = (id: string) => call<Job>(`/jobs/${id}`, { method: "DELETE" });

function form(options: Options, files: File[]): FormData {
  const data = new FormData();
  data.append("options", JSON.stringify(options));
  for (const f of files) data.append(f.name, f, f.name);
  return data;
}

/// Submits a job; `uploaded` hears the part of the files that has been sent.
export function submit(options: Options, files: File[] = [], uploaded?: (part: number) => void): Promise<Job> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${ROOT}/jobs`);
    request.upload.onprogress = (e) => e.lengthComputable && uploaded?.(e.loaded / e.total);
    request.onerror = () => reject(refused(0, ""));
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText) as Job);
      else reject(refused(request.status, request.responseText));
    };
    request.send(form(options, files));
  });
}

/// A report that is made of an earlier job's files: waits for it.
export async function report<T>(kind: Kind, options: Options): Promise<T> {
  const job = await submit({ ...options, kind });
  const done = await ended(job);
  if (done.state !== "done") throw failure(done);
  return reportOf<T>(done);
}

export function failure(job: Job): CallError {
  const problems = job.errors.length ? job.errors : [{ code: "", message: `The job was ${job.state}.` }];
  return new CallError(422, problems[0].message, problems, job.id);
}

export const resultOf = (job: Job, kind: string): Result | undefined => job.results.find((r) => r.kind === kind);

export async function fetchJson<T>(entry: FileEntry): Promise<T> {
  const answer = await fetch(entry.url);
  if (!answer.ok) throw refused(answer.status, await answer.text());
  return (await answer.json()) as T;
}

export function reportOf<T>(job: Job): Promise<T> {
  const entry = resultOf(job, "report");
  if (!entry) throw new CallError(404, "The job has no report.", [{ code: "", message: "The job has no report." }]);
  return fetchJson<T>(entry);
}

export const hasEnded = (job: Job) => job.state !== "queued" && job.state !== "running";

export interface Listener {
  state(job: Job): void;
  log?(line: LogLine): void;
  opened?(): void; // the log begins anew
  lost?(why: unknown): void;
}

/// Follows a job to its end; what is returned stops that. Where the stream breaks off it is opened again.
export function watch(job: Job, to: Listener): () => void {
  let current = job;
  let timer = 0;
  const source = new EventSource(`${ROOT}/jobs/${job.id}/events`);
  let stop = () => source.close();
  const take = (e: MessageEvent<string>) => to.state((current = JSON.parse(e.data) as Job));
  source.addEventListener("open", () => to.opened?.());
  source.addEventListener("state", take);
  source.addEventListener("progress", (e) => {
    const { phase, fraction } = JSON.parse((e as MessageEvent<string>).data) as { phase: string; fraction: number };
    to.state((current = { ...current, state: "running", phase, fraction }));
  });
  source.addEventListener("log", (e) => to.log?.(JSON.parse((e as MessageEvent<string>).data) as LogLine));
  source.addEventListener("done", (e) => {
    take(e as MessageEvent<string>);
    source.close();
  });
  // A broken line is tried again by the browser; an answer that is no stream is not.
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    timer = window.setTimeout(() => {
      getJob(job.id).then((now) => {
        if (!timer) return;
        to.state(now);
        if (!hasEnded(now)) stop = watch(now, to);
      }, to.lost);
    }, 1000);
  });
  return () => {
    clearTimeout(timer);
    timer = 0;
    stop();
  };
}

export function ended(job: Job): Promise<Job> {
  if (hasEnded(job)) return Promise.resolve(job);
  return new Promise((resolve, reject) => {
    watch(job, { state: (j) => hasEnded(j) && resolve(j), lost: reject });
  });
}
