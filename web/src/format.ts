// Numbers and shapes as people read them.
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB"];
  let v = n / 1000;
  let u = 0;
  while (v >= 999.5 && u < 2) {
    v /= 1000;
    ++u;
  }
  return `${v < 10 ? v.toFixed(2) : v < 100 ? v.toFixed(1) : v.toFixed(0)} ${units[u]}`;
}

export function time(us: number): string {
  if (us < 1000) return `${us < 10 ? us.toFixed(1) : us.toFixed(0)} µs`;
  const ms = us / 1000;
  return ms < 1000 ? `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export const fps = (v: number) => (v < 10 ? v.toFixed(1) : v.toFixed(0));
export const percent = (v: number) => `${(100 * v).toFixed(v > 0 && (v < 0.1 || (v > 0.99 && v < 1)) ? 1 : 0)} %`;
export const shape = (dims: number[]) => (dims.length ? dims.map((d) => (d < 0 ? "?" : d)).join(" × ") : "scalar");
export const plural = (n: number, word: string) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

export function scientific(v: number | null): string {
  if (v === null) return "–";
  if (v === 0) return "0";
  return Math.abs(v) >= 0.01 && Math.abs(v) < 10000 ? Number(v.toPrecision(3)).toString() : v.toExponential(1);
}

export function ago(seconds: number): string {
  const s = Date.now() / 1000 - seconds;
  if (s < 60) return "just now";
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString();
}
