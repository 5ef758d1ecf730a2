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
// On a phone each row of a wide table becomes a card: its cells then say their column themselves.
for (const table of document.querySelectorAll("main table:not(.plate)")) {
  const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  if (names.length < 4) continue;
  table.classList.add("stacked");
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.cells].forEach((cell, column) => { cell.dataset.label = names[column] ?? ""; });
  }
}
// What still scrolls sideways can be reached by keyboard.
for (const box of document.querySelectorAll(".scroll")) {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}
// data-print on a button prints the page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
