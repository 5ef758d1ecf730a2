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
// data-print on a button prints the page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
