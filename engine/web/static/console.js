// Makes pages live: each works without this, and shows the same after a reload.
"use strict";

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const said = document.getElementById("said");
  const lost = document.getElementById("lost");

  // -- Forms go out once ------------------------------------------------------------------------
  // The server does not do a thing twice either; this only says that it was heard.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    all("button", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
  });
  // A page that comes back out of the browser's memory has forms to be sent again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });

  // -- How long ago -----------------------------------------------------------------------------
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const words = (seconds) => {
    const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) || UNITS[3];
    const count = Math.max(Math.floor(Math.abs(seconds) / length), 1);
    const span = `${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`;
    return seconds >= 0 ? `${span} ago` : `in ${span}`;
  };
  const tick = () => {
    for (const each of all("time[data-ago]")) {
      const told = words((Date.now() - Date.parse(each.dateTime)) / 1000);
      if (each.textContent !== told) each.textContent = told;
    }
  };
  window.setInterval(tick, 1000);

  // -- What changes on the page -----------------------------------------------------------------
  if (!document.querySelector("[data-live=state]") || !window.EventSource) return;
  const FIELDS = "input:not([type=hidden]), select, textarea";

  // Never under somebody's hands: a part with a form that is being filled in is left as it is.
  const inUse = (part) =>
    all(FIELDS, part).some(
      (field) =>
        field === document.activeElement ||
        (field.type === "checkbox" ? field.checked !== field.defaultChecked
          : field.tagName !== "SELECT" && field.value !== field.defaultValue),
    );
  // Makes one tree like another and keeps what stays: its focus, its selection, how far it is
  // scrolled. A child with an id stays with its like, so that no button turns into another's.
  const morph = (from, to) => {
    if (from.nodeName !== to.nodeName || from.id !== to.id) from.replaceWith(to);
    else if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data;
    } else if (from.nodeName !== "FORM" || !(from.dataset.sent || inUse(from))) {
      attributes(from, to);
      children(from, to);
    }
  };
  const attributes = (from, to) => {
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
    }
  };
  const children = (from, to) => {
    const wanted = new Set([...to.children].map((each) => each.id).filter(Boolean));
    const known = new Map([...from.children].map((each) => [each.id, each]));
    let at = from.firstChild;
    for (const next of [...to.childNodes]) {
      const same = next.id && known.get(next.id);
      while (same && at !== same && at) {
        const gone = at;
        at = at.nextSibling;
        gone.remove();
      }
      if (!at || (!same && wanted.has(at.id))) from.insertBefore(next, at);
      else {
        const here = at;
        at = at.nextSibling;
        morph(here, next);
      }
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };

  const take = (text) => {
    const next = new DOMParser().parseFromString(text, "text/html");
    for (const part of all("[data-live]")) {
      const found = next.querySelector(`[data-live="${part.dataset.live}"]`);
      if (found) morph(part, found);
    }
    const token = next.querySelector("input[name=csrf]");
    if (token) all("input[name=csrf]").forEach((field) => (field.value = token.value));
    const told = all("[data-say]").map((each) => each.textContent.trim()).join(" ");
    if (said.textContent !== told) said.textContent = told;
    tick();
  };

  // Raises if nobody answers.
  const refresh = async () => {
    const headers = { accept: "text/html", "x-crosswalk-live": "yes" };
    const answer = await fetch(window.location.href, { headers });
    if (answer.redirected) window.location.reload();
    else take(await answer.text());
  };
  let due = 0;
  let last = 0;
  const soon = () => {
    if (due) return;
    const wait = Math.max(250, last + 1000 - Date.now());
    due = window.setTimeout(() => {
      due = 0;
      last = Date.now();
      // That nobody answers is told by the stream of events.
      if (!document.hidden) refresh().catch(() => {});
    }, wait);
  };
  document.addEventListener("visibilitychange", () => document.hidden || soon());

  let rest = 1000;
  const listen = () => {
    const events = new EventSource("/events");
    for (const kind of ["state", "run", "log", "reload", "plan", "message"]) {
      events.addEventListener(kind, soon);
    }
    events.addEventListener("open", () => (rest = 1000));
    // Anew by hand: a browser gives up for good after some answers, and says nothing to anybody.
    events.addEventListener("error", () => {
      events.close();
      window.setTimeout(again, rest);
    });
  };
  const again = async () => {
    try {
      await refresh();
      lost.textContent = "";
      listen();
    } catch {
      lost.textContent = "The connection is lost. Trying again…";
      window.setTimeout(again, rest);
    }
    rest = Math.min(rest * 1.5, 10000);
  };
  listen();
})();
