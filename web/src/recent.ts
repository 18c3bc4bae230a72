// The jobs of this browser: their ids alone, newest first. What has become of them the server knows.
import type { Options } from "./types";

const KEY = "blobsmith.jobs";
const MOST = 30;

export function recentIds(): string[] {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? ids.filter((i): i is string => typeof i === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function store(ids: string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(ids.slice(0, MOST)));
  } catch {
    // A browser that keeps nothing shows no recent jobs.
  }
}

export const remember = (id: string) => store([id, ...recentIds().filter((i) => i !== id)]);
export const forget = (ids: string[]) => store(recentIds().filter((i) => !ids.includes(i)));

/// Settings of a conversion that its check knows nothing of; as long as the window is open.
export function keepSettings(id: string, options: Options): void {
  try {
    sessionStorage.setItem(`settings ${id}`, JSON.stringify(options));
  } catch {
    // They are asked for again.
  }
}

export function keptSettings(id: string): Options {
  try {
    return JSON.parse(sessionStorage.getItem(`settings ${id}`) ?? "{}") as Options;
  } catch {
    return {};
  }
}
