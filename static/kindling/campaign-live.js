// Live figures of a sending campaign, from a stream of server-sent events. The page also polls (htmx): more slowly
// while the stream is open, and at the usual rate without one.
(() => {
  const SLOWLY_MS = 10_000;
  const TRIES = 3;

  let source = null;
  let failed = 0;
  let asked = 0;
  let state = "";

  const section = () => document.getElementById("campaign-live");

  const show = (html) => {
    const figures = document.getElementById("campaign-figures");
    const focused = figures.contains(document.activeElement) ? document.activeElement.id : "";
    figures.innerHTML = html;
    if (focused) document.getElementById(focused)?.focus();
  };

  const stop = () => {
    source?.close();
    source = null;
  };

  const start = () => {
    const url = section()?.dataset.stream;
    if (!url || !window.EventSource || source || failed >= TRIES) return;
    source = new EventSource(url);
    source.addEventListener("figures", ({ data }) => {
      failed = 0;
      show(data);
    });
    source.addEventListener("moved", () => {
      stop();
      window.location.reload();
    });
    // The server ends each stream some time, and the browser reconnects: only one without any figures has failed.
    source.addEventListener("error", () => {
      failed += 1;
      if (failed >= TRIES || source?.readyState === EventSource.CLOSED) stop();
    });
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id !== "campaign-live") return;
    const now = performance.now();
    if (source && now - asked < SLOWLY_MS) event.preventDefault();
    else asked = now;
  });
  document.addEventListener("htmx:afterSettle", () => {
    // the buttons of the page are those of the state before
    if (state && section()?.dataset.state !== state) window.location.reload();
    else start();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  window.addEventListener("pagehide", stop);
  document.addEventListener("DOMContentLoaded", () => {
    state = section()?.dataset.state ?? "";
    start();
  });
})();
