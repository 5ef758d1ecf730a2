// Keeps the verification page on the phone, so that it opens without a connection. It answers from its store only when the laboratory does not.
"use strict";
const STORE = "baton-verify-1";
const KEPT = ["/verify", "/assets/baton.css", "/assets/baton.js", "/assets/laboratory.css", "/assets/verify.js"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(KEPT.map((path) => new Request(path, { cache: "reload" })))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || !KEPT.includes(pathname)) return;
  event.respondWith(fetch(event.request).catch(() => caches.match(pathname)));
});
