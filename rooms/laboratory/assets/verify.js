// The verification page: asks the laboratory, and without a connection checks the signature itself. See statement.rs for the layout.
"use strict";
(() => {
  const form = document.getElementById("verify");
  const answer = document.getElementById("verified");
  if (!form || !answer) return;
  const SAID = 27, BYTES = 91;
  const DOMAIN = new TextEncoder().encode("baton result statement 1\0");
  const CLASSES = { valid: "good", amended: "warn", withdrawn: "bad", unknown: "warn", wrong: "bad", offline: "warn", unable: "warn", failed: "warn" };

  function show(standing) {
    answer.className = "answer " + (CLASSES[standing] || "warn");
    answer.dataset.standing = standing;
    answer.textContent = answer.dataset[standing] || standing;
  }

  // What stands behind s= in an address, or the text itself.
  function statementIn(text) {
    const at = text.lastIndexOf("s=");
    return (at < 0 ? text : text.slice(at + 2)).trim();
  }

  function bytesOf(text) {
    if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
    try {
      return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    } catch {
      return null;
    }
  }

  function keyBytes() {
    return Uint8Array.from(form.dataset.key.match(/../g), (pair) => parseInt(pair, 16));
  }

  async function signatureFits(bytes) {
    const key = await crypto.subtle.importKey("raw", keyBytes(), { name: "Ed25519" }, false, ["verify"]);
    const said = new Uint8Array(DOMAIN.length + SAID);
    said.set(DOMAIN);
    said.set(bytes.subarray(0, SAID), DOMAIN.length);
    return crypto.subtle.verify({ name: "Ed25519" }, key, bytes.subarray(SAID), said);
  }

  async function withoutConnection(text) {
    const bytes = bytesOf(text);
    if (!bytes || bytes.length !== BYTES) return "wrong";
    if (!globalThis.crypto || !crypto.subtle) return "unable";
    // A browser that does not know Ed25519 throws.
    return signatureFits(bytes).then((fits) => (fits ? "offline" : "wrong"), () => "unable");
  }

  async function standingOf(text) {
    let reply;
    try {
      reply = await fetch("/v1/verify?s=" + encodeURIComponent(text), { headers: { accept: "application/json" } });
    } catch {
      return withoutConnection(text);
    }
    // An answer that is no standing (too many ask at once) must not look like one.
    const told = reply.ok ? await reply.json().catch(() => ({})) : {};
    return told.standing || "failed";
  }

  // While one is being checked, the answer for the one before must not stand; and a late answer must not stand for the next.
  let turn = 0;
  async function check(text) {
    const mine = ++turn;
    delete answer.dataset.standing;
    answer.textContent = "";
    const standing = await standingOf(text);
    if (mine === turn) show(standing);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // This page stays: its button is not spent by one press, as the desk's script takes it to be.
    event.stopPropagation();
    const text = statementIn(form.elements.s.value);
    if (text) check(text);
  });
  // This page came from the phone's own store: the laboratory has not been asked yet.
  const asked = new URLSearchParams(location.search).get("s");
  if (asked && !answer.dataset.standing) {
    form.elements.s.value = asked;
    check(statementIn(asked));
  }
  if ("serviceWorker" in navigator && globalThis.isSecureContext) {
    navigator.serviceWorker.register("/offline-worker.js?page=/verify&asset=laboratory.css&asset=verify.js", { scope: "/verify" }).catch(() => {});
    navigator.serviceWorker.ready.then(() => (document.documentElement.dataset.kept = "yes"));
  }
})();
