import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { getInfo } from "./api";
import { Home } from "./home";
import { JobPage } from "./job";
import "./styles.css";
import type { Info } from "./types";
import { Busy, Problems, problemsOf } from "./ui";
import { Zoo } from "./zoo";
import { ApiPage } from "./calls";

function useHash(): string {
  const [hash, set] = useState(location.hash);
  useEffect(() => {
    const changed = () => {
      set(location.hash);
      window.scrollTo(0, 0);
      // So that a screen reader begins with the new page.
      document.getElementById("main")?.focus({ preventScroll: true });
    };
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return hash;
}

function App() {
  const hash = useHash();
  const [info, setInfo] = useState<Info>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    getInfo().then(setInfo, setError);
  }, []);
  const job = /^#\/jobs\/([0-9a-z]+)$/.exec(hash)?.[1];
  const here = job ? "job" : hash === "#/zoo" ? "zoo" : hash === "#/api" ? "api" : "home";
  const link = (to: string, name: string, text: string) => (
    <a href={to} aria-current={here === name ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById("main")?.focus())}>
        Skip to the contents
      </a>
      <header class="top">
        <a class="mark" href="#/">
          <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M8 10h7v5H8zM17 10h7v5h-7zM8 17h16v5H8z" />
          </svg>
          blobsmith
        </a>
        <nav aria-label="Pages">
          {link("#/", "home", "Convert")}
          {link("#/zoo", "zoo", "Zoo")}
          {link("#/api", "api", "API")}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {error ? (
          <Problems list={problemsOf(error)} title="The server does not answer" />
        ) : !info ? (
          <Busy text="Asking the server what it can do" />
        ) : job ? (
          <JobPage id={job} key={job} info={info} />
        ) : here === "zoo" ? (
          <Zoo />
        ) : here === "api" ? (
          <ApiPage info={info} />
        ) : (
          <Home info={info} />
        )}
      </main>
      <footer>
        {info && <>blobsmith {info.version}. </>}
        Models stay on this server; nothing is sent anywhere else.
      </footer>
    </>
  );
}

render(<App />, document.getElementById("app")!);
