// Models that the server has: find one, check it, convert it.
import { useEffect, useState } from "preact/hooks";
import { getZoo, submit } from "./api";
import { bytes } from "./format";
import { remember } from "./recent";
import type { ZooModel } from "./types";
import { Busy, Problems, problemsOf } from "./ui";

export function Zoo() {
  const [models, set] = useState<ZooModel[]>();
  const [error, setError] = useState<unknown>();
  const [find, setFind] = useState("");
  const [sent, setSent] = useState("");
  useEffect(() => {
    getZoo().then(set, setError);
  }, []);
  const take = async (m: ZooModel) => {
    setSent(m.name);
    setError(undefined);
    try {
      const job = await submit({ kind: "check", zoo: { name: m.name, zoo: m.zoo, precision: m.precisions[0] } });
      remember(job.id);
      location.hash = `#/jobs/${job.id}`;
    } catch (e) {
      setError(e);
      setSent("");
    }
  };
  const list = (models ?? []).filter((m) =>
    `${m.name} ${m.task ?? ""} ${m.description ?? ""} ${m.framework ?? ""}`.toLowerCase().includes(find.toLowerCase()),
  );
  return (
    <>
      <h1>Zoo</h1>
      <p>Ready-made models: take one, see what is in it, convert it.</p>
      {error !== undefined && <Problems list={problemsOf(error)} title="This did not work" />}
      {!models ? (
        !error && <Busy text="Reading the zoo" />
      ) : !models.length ? (
        <p>
          No models here yet. A zoo is a folder of <code>model.yml</code> files; <code>blobsmith serve --zoo DIR</code> takes
          one.
        </p>
      ) : (
        <>
          <div class="filter">
            <label>
              <span class="hidden">Find a model</span>
              <input type="search" placeholder="Find a model" value={find} onInput={(e) => setFind(e.currentTarget.value)} />
            </label>
            <span class="dim">{list.length} models</span>
          </div>
          {list.some((m) => !m.available) && (
            <p class="hint">
              Some models have to be downloaded, which this server may not do. Whoever runs it can allow that:{" "}
              <code>blobsmith serve --allow-download</code>, or <code>--mirror</code> with a folder or address that has them.
            </p>
          )}
          <ul class="zoo">
            {list.map((m) => (
              <li key={`${m.zoo} ${m.name}`} class="card">
                <h2 class="name">{m.name}</h2>
                <p>{m.description}</p>
                <p class="dim">
                  {[m.task?.replace(/_/g, " "), m.framework, m.precisions.join(", "), m.bytes ? bytes(m.bytes) : "", m.license]
                    .filter(Boolean)
                    .join(" · ")}
                </p>
                {m.available ? (
                  <button type="button" disabled={sent !== ""} onClick={() => void take(m)} aria-label={`Take this model: ${m.name}`}>
                    {sent === m.name ? "Taking …" : "Take this model"}
                  </button>
                ) : (
                  <p class="dim">Its files are not on this server.</p>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
