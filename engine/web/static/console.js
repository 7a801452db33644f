// Makes pages live: each works without this, and shows the same after a reload.
"use strict";

(() => {
  const state = document.querySelector("[data-live=state]");
  if (!state || !window.EventSource) return;
  const events = new EventSource("/events");
  // Never under somebody's hands: a page with a form in use is left as it is.
  const busy = () =>
    document.activeElement && document.activeElement.matches("input, select, textarea");
  let due = 0;
  const refresh = async () => {
    if (busy() || document.hidden) return;
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = next.querySelector("main");
    const told = next.querySelector("[data-live=state]");
    if (told && told.textContent !== state.textContent) state.textContent = told.textContent;
    const here = document.querySelector("main");
    if (main && !busy() && main.innerHTML !== here.innerHTML) {
      const focused = document.activeElement && here.contains(document.activeElement);
      if (!focused) here.replaceChildren(...main.childNodes);
    }
  };
  const soon = () => {
    window.clearTimeout(due);
    due = window.setTimeout(refresh, 400);
  };
  for (const kind of ["state", "run", "log", "reload", "plan", "message"]) {
    events.addEventListener(kind, soon);
  }
})();
