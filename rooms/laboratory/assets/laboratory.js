// The bench from the keyboard: j next, k before, s sign; in a list j and k move and Enter opens. A scanner types fast and ends with
// Enter; the form takes it as it is.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select, dialog")) return;
  const key = event.key.toLowerCase();
  const target = document.querySelector(`[data-key~="${CSS.escape(key)}"]`);
  if (target) {
    event.preventDefault();
    target.click();
    return;
  }
  if (key !== "j" && key !== "k") return;
  const rows = [...document.querySelectorAll("a[data-row]")];
  if (!rows.length) return;
  event.preventDefault();
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, key === "j" ? at + 1 : at - 1))].focus();
});
// A signature is asked for once more, in words.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-sure]");
  const dialog = document.querySelector("#sure");
  if (!form || !dialog?.showModal || form.dataset.said) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  document.querySelector("#sure-words").textContent = form.dataset.sure;
  document.querySelector("#sure-yes").onclick = () => { form.dataset.said = "yes"; dialog.close(); form.requestSubmit(); };
  document.querySelector("#sure-no").onclick = () => dialog.close();
  dialog.showModal();
}, true);
// A well lights up with its curves, and a curve with its well.
for (const how of ["mouseover", "focusin"]) {
  document.addEventListener(how, (event) => {
    const well = event.target.closest?.("[data-well]")?.dataset.well;
    for (const lit of document.querySelectorAll(".lit-by")) lit.classList.remove("lit-by");
    if (well === undefined) return;
    for (const part of document.querySelectorAll(`[data-well="${CSS.escape(well)}"]`)) part.classList.add("lit-by");
  });
}
