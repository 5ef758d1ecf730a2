// The pool planner's sliders: a range beside every number, and the plan drawn anew while one moves. Without this script the form does the same at a button.
"use strict";
for (const range of document.querySelectorAll("input[type=range][data-for]")) {
  const number = range.form.elements[range.dataset.for];
  const low = Number(range.dataset.low), high = Number(range.dataset.high), step = Number(range.dataset.step);
  const logarithmic = "logarithmic" in range.dataset;
  const there = logarithmic ? (value) => Math.log(value / low) / Math.log(high / low) * 1000 : (value) => (value - low) / (high - low) * 1000;
  const back = logarithmic ? (at) => low * (high / low) ** (at / 1000) : (at) => low + (high - low) * at / 1000;
  Object.assign(range, { min: "0", max: "1000", step: "1", hidden: false });
  const follow = () => { range.value = String(there(Number(number.value))); };
  follow();
  number.addEventListener("input", follow);
  range.addEventListener("input", () => {
    const value = Math.round(back(Number(range.value)) / step) * step;
    number.value = String(Number(Math.min(high, Math.max(low, value)).toFixed(3)));
  });
}
const form = document.querySelector("form[data-planner]");
let asked = 0;
form?.addEventListener("change", async () => {
  const turn = ++asked;
  const address = "?" + new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action + address).catch(() => null);
  if (!answer?.ok || turn !== asked) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("plan");
  if (fresh) document.getElementById("plan").replaceWith(fresh);
  history.replaceState(null, "", address);
});
// A file is downloaded from a page that stays: its button can be pressed again.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.dataset.again !== undefined) setTimeout(() => { button.disabled = false; }, 500);
});
