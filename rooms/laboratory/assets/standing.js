// A result that is open asks now and then whether it moved, and is asked for again when it did. Nobody needs to press reload.
"use strict";
(() => {
  const shown = document.querySelector("[data-standing]");
  if (!shown) return;
  const every = Number(shown.dataset.every) * 1000;
  let timer;
  // Not all at once: a city looks at the same hour.
  const later = (wait) => { clearTimeout(timer); timer = setTimeout(ask, wait * (0.75 + Math.random() / 2)); };
  async function ask() {
    if (document.hidden) return;
    try {
      const reply = await fetch(shown.dataset.standing, { headers: { accept: "application/json" } });
      if (reply.ok && (await reply.json()).moved) { document.querySelector("#again").submit(); return; }
      if (reply.status === 403) return;
      later(Math.max(every, Number(reply.headers.get("retry-after") || 0) * 1000));
    } catch { later(every * 2); }
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) later(1000); });
  later(every);
})();
