// Keeps one page on the device, so that it opens without a connection. It answers from its store only when the server does not.
//   page=/verify  the path below which it watches;  asset=verify.js  what the page needs beside the desk's own (repeated)
//   last          the page as it was drawn last, under its whole address; else as it is drawn for nobody in particular
"use strict";
const asked = new URL(self.location.href).searchParams;
const PAGE = asked.get("page"), LAST = asked.has("last");
const STORE = `baton-kept-1 ${PAGE}`;
const ASSETS = ["/assets/baton.css", "/assets/baton.js", ...asked.getAll("asset").map((name) => `/assets/${name}`)];
// A server that does not answer within this time is taken for one that is not there.
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  const wanted = [...ASSETS, ...(LAST ? [] : [PAGE])].map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(wanted)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { pathname, origin, search } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname === PAGE) event.respondWith(LAST ? lastDrawn(event.request, search) : asEver(event.request));
  else if (pathname.startsWith("/assets/")) event.respondWith(asset(event.request));
});

// What the address bar asks for cannot be given a signal: it is raced against the clock.
const fromServer = (request) => Promise.race([fetch(request), new Promise((_, late) => setTimeout(late, PATIENCE_MS, new Error("late")))]);
const forget = async (store) => Promise.all((await store.keys()).filter((key) => new URL(key.url).pathname === PAGE).map((key) => store.delete(key)));

async function asEver(request) {
  return fromServer(request).catch(() => caches.match(PAGE));
}

// One page is kept: the one this device worked on last. Whoever is sent to sign in has nothing kept for them.
async function lastDrawn(request, search) {
  const store = await caches.open(STORE);
  const kept = async () => (await store.match(request)) ?? (await store.match(PAGE, { ignoreSearch: true }));
  let answer;
  try { answer = await fromServer(request); } catch { return (await kept()) ?? Response.error(); }
  if (answer.type === "opaqueredirect" || answer.redirected || answer.status === 401) await forget(store);
  else if (answer.status >= 500) return (await kept()) ?? answer;
  else if (answer.ok && search) { await forget(store); await store.put(request, answer.clone()); }
  return answer;
}

async function asset(request) {
  const store = await caches.open(STORE);
  try {
    const answer = await fromServer(request);
    if (answer.ok) await store.put(request, answer.clone());
    return answer;
  } catch { return (await store.match(request)) ?? Response.error(); }
}
