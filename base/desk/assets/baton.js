// What all pages share. No framework, nothing from other hosts.
"use strict";
// A scroll wheel over a number field must never change a number.
document.addEventListener("wheel", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.type === "number") event.target.blur();
}, { passive: true });
// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button) setTimeout(() => { button.disabled = true; }, 0);
});
// What a piece of a page needs once it is there.
function dress(root) {
  // On a phone each row of a wide table becomes a card: its cells then say their column themselves.
  for (const table of root.querySelectorAll("table:not(.plate)")) {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    if (names.length < 4) continue;
    table.classList.add("stacked");
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, column) => { cell.dataset.label = names[column] ?? ""; });
    }
  }
  // What still scrolls sideways can be reached by keyboard.
  for (const box of root.querySelectorAll(".scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
  // A card for what this browser has not sent yet.
  for (const card of root.querySelectorAll("[data-stored]")) {
    const waiting = Number(localStorage.getItem(card.dataset.stored) ?? 0);
    card.querySelector("strong").textContent = waiting;
    card.hidden = !waiting;
  }
}
dress(document.querySelector("main"));
// data-print on a button prints the page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// Boards that live: /live says that a part has moved, and the page asks for itself again, by its own address. Without a
// connection it asks by itself, ever more slowly.
(() => {
  const parts = () => [...document.querySelectorAll("[data-live]")];
  if (!parts().length) return;
  const state = document.querySelector(".live-state");
  const SLOWEST = 60000;
  let source, polling, wait = 2000, busy = false, again = false;

  function say(how) {
    if (state.dataset.how === how) return;
    state.dataset.how = how;
    state.textContent = state.dataset[how];
    state.hidden = false;
  }

  const typing = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  const place = (part, element) => [...part.querySelectorAll("a, button, summary, [tabindex]")].indexOf(element);

  function swap(part, next) {
    if (typing(part)) { again = true; return; }
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const at = focused && (focused.getAttribute("href") ?? focused.id);
    const index = focused && place(part, focused);
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    const left = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    part.replaceChildren(...document.adoptNode(next).childNodes);
    dress(part);
    [...part.querySelectorAll("details")].forEach((details, n) => { if (open[n] !== undefined) details.open = open[n]; });
    [...part.querySelectorAll(".scroll")].forEach((box, n) => { box.scrollLeft = left[n] ?? 0; });
    if (focused) {
      const all = [...part.querySelectorAll("a, button, summary, [tabindex]")];
      (all.find((element) => at && (element.getAttribute("href") ?? element.id) === at) ?? all[index])?.focus({ preventScroll: true });
    }
    part.dispatchEvent(new CustomEvent("baton:drawn", { bubbles: true }));
  }

  // True when the page is fresh again.
  async function refresh() {
    if (busy || document.hidden) { again = true; return true; }
    busy = true;
    again = false;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html", "x-baton-part": "live" }, redirect: "error" });
      if (!answer.ok) return false;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = document.querySelector("main");
      main.dataset.at = fresh.querySelector("main")?.dataset.at ?? main.dataset.at;
      for (const part of parts()) {
        const next = fresh.getElementById(part.id);
        if (next) swap(part, next);
      }
      return true;
    } catch { return false; } finally {
      busy = false;
    }
  }

  function poll() {
    clearTimeout(polling);
    polling = setTimeout(async () => {
      const fresh = await refresh();
      say(fresh ? "polling" : "lost");
      wait = Math.min(wait * 2, SLOWEST);
      listen();
    }, wait * (0.75 + Math.random() / 2));
  }

  function listen() {
    source?.close();
    const on = [...new Set(parts().flatMap((part) => part.dataset.live.split(",").filter(Boolean)))].join(",");
    if (!on) return;
    source = new EventSource(`/live?on=${encodeURIComponent(on)}&since=${document.querySelector("main").dataset.at}`);
    source.onopen = () => { clearTimeout(polling); wait = 2000; say("on"); };
    source.addEventListener("moved", async () => { if (!(await refresh())) { source.close(); poll(); } });
    source.onerror = () => { source.close(); poll(); };
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden && again) refresh(); });
  document.addEventListener("focusout", () => setTimeout(() => { if (again) refresh(); }, 0));
  const every = Math.min(...parts().map((part) => Number(part.dataset.liveEvery) || Infinity));
  if (Number.isFinite(every)) setInterval(refresh, every * 1000);
  // A page that goes away gives its connection back at once; one that comes back opens it again.
  addEventListener("pagehide", () => { clearTimeout(polling); source?.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  listen();
})();
