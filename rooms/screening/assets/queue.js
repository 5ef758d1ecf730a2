// The screen shows its languages in turn, unless one was chosen; the form's buttons count up and down.
"use strict";
(() => {
  const screen = document.querySelector("[data-turn]");
  if (screen) {
    let at = 0;
    const show = () => {
      const sections = [...screen.querySelectorAll(".queue-words")];
      sections.forEach((section, n) => { section.hidden = n !== at % sections.length; });
    };
    show();
    setInterval(() => { at += 1; show(); }, Number(screen.dataset.turn) * 1000);
    document.addEventListener("baton:drawn", show);
  }
  document.addEventListener("click", (event) => {
    const tap = event.target.closest("[data-tap]");
    if (!tap) return;
    const field = document.querySelector("#waiting");
    field.value = Math.min(9999, Math.max(0, Number(field.value || 0) + Number(tap.dataset.tap)));
  });
})();
