// Small parts that all pages use.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { CallError } from "./api";
import type { Problem } from "./types";

export function Card(p: { title?: string; children: ComponentChildren; class?: string; aside?: ComponentChildren }) {
  const id = useId();
  return (
    <section class={`card ${p.class ?? ""}`} aria-labelledby={p.title ? id : undefined}>
      {p.title && (
        <header>
          <h2 id={id}>{p.title}</h2>
          {p.aside}
        </header>
      )}
      {p.children}
    </section>
  );
}

export function Busy(p: { text: string }) {
  return (
    <p class="busy" role="status">
      <span class="spinner" aria-hidden="true" /> {p.text}
    </p>
  );
}

export function problemsOf(e: unknown): Problem[] {
  if (e instanceof CallError) return e.problems;
  return [{ code: "", message: e instanceof Error ? e.message : String(e) }];
}

export function Problems(p: { list: Problem[]; title?: string; action?: (problem: Problem) => ComponentChildren }) {
  if (!p.list.length) return null;
  return (
    <div class="problems" role={p.title ? "alert" : undefined}>
      {p.title && <h2>{p.title}</h2>}
      <ol>
        {p.list.map((e, i) => (
          <li key={i}>
            <p class="message">
              {e.code && <code class="code">{e.code}</code>} {e.message.split("\n")[0]}
            </p>
            {(e.layer || e.source) && (
              <p class="where">
                {e.type && <b>{e.type}</b>} {e.layer && <span class="name">{e.layer}</span>}
                {e.source && <span class="dim"> {e.source}</span>}
              </p>
            )}
            {e.why && <p>{e.why}</p>}
            {e.hint && (
              <p class="hint">
                <b>What to do:</b> {e.hint}
              </p>
            )}
            {p.action?.(e)}
          </li>
        ))}
      </ol>
    </div>
  );
}

export function CopyButton(p: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(p.text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="quiet" onClick={() => void copy()}>
      {done ? "Copied" : (p.label ?? "Copy")}
    </button>
  );
}

export interface Tab {
  name: string;
  body: () => ComponentChildren;
}

/// Tabs by the pattern of the ARIA practices: arrows move, one tab stop.
export function Tabs(p: { tabs: Tab[]; label: string }) {
  const [at, setAt] = useState(0);
  const id = useId();
  const buttons = useRef<(HTMLButtonElement | null)[]>([]);
  const chosen = Math.min(at, p.tabs.length - 1);
  const move = (e: KeyboardEvent) => {
    const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = (chosen + step + p.tabs.length) % p.tabs.length;
    setAt(next);
    buttons.current[next]?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={p.label} onKeyDown={move}>
        {p.tabs.map((t, i) => (
          <button
            key={t.name}
            ref={(b) => void (buttons.current[i] = b)}
            type="button"
            role="tab"
            id={`${id}-${i}`}
            aria-controls={`${id}-panel`}
            aria-selected={i === chosen}
            tabIndex={i === chosen ? 0 : -1}
            onClick={() => setAt(i)}
          >
            {t.name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`} tabIndex={0} key={p.tabs[chosen].name}>
        {p.tabs[chosen].body()}
      </div>
    </div>
  );
}

/// What a promise gives, with what there is to see until then.
export function Later<T>(p: { get: () => Promise<T>; what: string; show: (value: T) => ComponentChildren }) {
  const [state, set] = useState<{ value?: T; error?: unknown }>({});
  useEffect(() => {
    let wanted = true;
    p.get().then(
      (value) => wanted && set({ value }),
      (error: unknown) => wanted && set({ error }),
    );
    return () => void (wanted = false);
  }, []);
  if (state.error) return <Problems list={problemsOf(state.error)} title="This did not work" />;
  if (state.value === undefined) return <Busy text={p.what} />;
  return <>{p.show(state.value)}</>;
}

export function Fact(p: { name: string; children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{p.name}</dt>
      <dd>
        {p.children}
        {p.note && <small>{p.note}</small>}
      </dd>
    </div>
  );
}
