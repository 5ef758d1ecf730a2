// What this device was told and the centre has not acknowledged: in the browser's database, oldest first, sent by one sender at a time.
"use strict";

// Whole durable before it is believed: a fact is "stored on this device" only once the disk has it.
const STRICT = { durability: "strict" };
const BATCH = 50;
const EPOCH = Date.UTC(2026, 0, 1);
// A full lane passes; anything else will be refused again.
const PASSING = ["lane-full", "shutting-down", "store-full", "store-away", "store-broken", "readers-busy", "budget-full"];
// What an earlier version kept, and how many wait, for the card on the home page.
const OLD_QUEUE = "baton-queue", OLD_STUCK = "baton-stuck", WAITING = "baton-waiting";

// facts    {n, device, fact, handed}   what was said here, under the number of that sign-in
// carried  {seal, said, facts, handed} what other devices said and sealed
// stuck    {n, fact | said, refusal}   what the centre refused
const opened = idb.openDB("baton", 1, {
  upgrade(database) {
    for (const name of ["facts", "stuck"]) database.createObjectStore(name, { keyPath: "n", autoIncrement: true });
    database.createObjectStore("carried", { keyPath: "seal" });
    for (const name of ["sequences", "keys"]) database.createObjectStore(name);
  },
}).then(moveIn);

const read = (key) => { try { return JSON.parse(localStorage.getItem(key) ?? "[]"); } catch { return []; } };
const sayerOf = (id) => ((BigInt(id) >> 32n) & 0xffffffn).toString();

async function moveIn(database) {
  const facts = read(OLD_QUEUE), stuck = read(OLD_STUCK);
  if (facts.length + stuck.length === 0) return database;
  const moving = database.transaction(["facts", "stuck"], "readwrite", STRICT);
  for (const fact of facts) moving.objectStore("facts").add({ device: sayerOf(fact.id), fact });
  for (const { refusal, ...fact } of stuck) moving.objectStore("stuck").add({ fact, refusal });
  await moving.done;
  localStorage.removeItem(OLD_QUEUE);
  localStorage.removeItem(OLD_STUCK);
  return database;
}

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
export const hexOf = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// `sealingKey` lets another device carry what was said here; `told(note)`, `refused(refusal)` and `shown(state)` are called as things happen.
export function deviceQueue({ device, bucket, csrf, sealingKey, told, refused, signedOut, shown }) {
  let wait = 2000, timer = 0, offline = false, sending = false;
  const mayHandOver = Boolean(sealingKey && globalThis.crypto?.subtle && globalThis.CompressionStream);
  const keyKept = mayHandOver ? keepKey() : Promise.resolve();

  async function keepKey() {
    const key = await crypto.subtle.importKey("raw", bytesOf(sealingKey), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    await (await opened).put("keys", key, device);
  }

  // ---- Ids: bucket 7 bits, device 24 bits, sequence 32 bits. The sayer makes them; a resend is the same id. ----
  async function say(kind, body) {
    const happened = Date.now();
    const saying = (await opened).transaction(["sequences", "facts"], "readwrite", STRICT);
    const sequences = saying.objectStore("sequences");
    // Tenths of a second since 2026 are the floor, so that a browser whose storage was emptied does not count again from 1.
    const floor = Math.max(1, Math.floor((happened - EPOCH) / 100) % 0xfffffff0);
    const next = Math.max(((await sequences.get(device)) ?? 0) + 1, floor);
    const id = ((bucket << 56n) | (BigInt(device) << 32n) | BigInt(next)).toString();
    sequences.put(next, device);
    saying.objectStore("facts").add({ device, fact: { id, kind, happened_us: happened * 1000, body } });
    await saying.done;
    await show();
    send();
    return id;
  }

  async function ask(path, body) {
    const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json", "x-baton-csrf": csrf }, body: JSON.stringify(body) });
    if (response.status === 401) { signedOut(); throw new Error("signed out"); }
    const answer = await response.json();
    if (response.ok) return answer.answers;
    throw Object.assign(new Error(answer.code), { refusal: answer });
  }

  // What was recorded is told; what will never be recorded is kept apart. The rest is tried again.
  function judged(answers) {
    const lost = new Map();
    for (const answer of answers) {
      if (answer.status === "recorded") answer.notes?.filter((note) => note.code !== "fact-carried").forEach(told);
      else if (PASSING.includes(answer.refusal.code)) throw new Error(answer.refusal.code);
      else { lost.set(answer.id, answer.refusal); refused(answer.refusal); }
    }
    return lost;
  }

  async function seal(sayer, facts) {
    const key = mayHandOver ? await (await opened).get("keys", sayer) : undefined;
    if (!key) return undefined;
    const said = JSON.stringify({ device: Number(sayer), facts });
    return { said, seal: hexOf(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(said))) };
  }

  // The next facts of one sign-in: whoever worked here before and signed out is spoken for by their own seal.
  async function sendFacts() {
    const waiting = await (await opened).getAll("facts");
    const batch = waiting.filter((entry) => entry.device === waiting[0].device).slice(0, BATCH);
    if (batch.length === 0) return false;
    const facts = batch.map((entry) => entry.fact);
    const sealed = batch[0].device === device ? undefined : await seal(batch[0].device, facts);
    const answers = await (sealed ? ask("/v1/facts/carried", sealed) : ask("/v1/facts", { facts, sent_us: Date.now() * 1000 }));
    const lost = judged(answers), answered = new Set(answers.map((answer) => answer.id));
    const settling = (await opened).transaction(["facts", "stuck"], "readwrite", STRICT);
    for (const { n, fact } of batch) {
      if (lost.has(fact.id)) settling.objectStore("stuck").add({ fact, refusal: lost.get(fact.id) });
      if (answered.has(fact.id)) settling.objectStore("facts").delete(n);
    }
    await settling.done;
    return true;
  }

  async function bring({ said, seal }) {
    let lost = new Map();
    try { lost = judged(await ask("/v1/facts/carried", { said, seal })); } catch (problem) {
      // A packet that is refused as a whole for what it is will be refused again.
      if (!problem.refusal?.code?.startsWith("carried-")) throw problem;
      lost.set(said, problem.refusal);
      refused(problem.refusal);
    }
    const settling = (await opened).transaction(["carried", "stuck"], "readwrite", STRICT);
    for (const [about, refusal] of lost) settling.objectStore("stuck").add({ about, said, refusal });
    settling.objectStore("carried").delete(seal);
    await settling.done;
  }

  async function sendAll() {
    // What others carried here is older than what was said after it.
    for (const packet of await (await opened).getAll("carried")) { await bring(packet); await reached(); }
    while (await sendFacts()) await reached();
  }

  async function reached() {
    wait = 2000;
    offline = false;
    await show();
  }

  // Of several open pages one sends.
  const alone = (work) => (navigator.locks ? navigator.locks.request("baton-send", { ifAvailable: true }, (lock) => lock && work()) : work());

  async function send() {
    if (sending) return;
    sending = true;
    clearTimeout(timer);
    try { await alone(sendAll); } catch {
      offline = true;
    } finally {
      sending = false;
      const { waiting } = await show();
      if (waiting > 0) timer = setTimeout(send, offline ? wait : 250);
      if (offline) wait = Math.min(wait * 2, 30000);
    }
  }

  async function show() {
    const database = await opened;
    const [facts, carried, stuck] = await Promise.all(["facts", "carried", "stuck"].map((name) => database.getAll(name)));
    const waiting = facts.length + carried.reduce((sum, packet) => sum + packet.facts, 0);
    const handed = facts.filter((entry) => entry.handed).length + carried.filter((packet) => packet.handed).reduce((sum, packet) => sum + packet.facts, 0);
    localStorage.setItem(WAITING, String(waiting));
    const state = { waiting, handed, stuck, offline, mayHandOver };
    shown(state);
    return state;
  }

  // ---- Handing over: sealed packets of what waits, at most so many letters of them; what was handed over before comes last. ----
  async function packets(letters) {
    await keyKept;
    const database = await opened;
    const carried = await database.getAll("carried"), facts = await database.getAll("facts");
    const fresh = (entry) => !entry.handed, again = ![...carried, ...facts].some(fresh);
    const taken = { packets: [], facts: 0, left: 0, seals: [], numbers: [] };
    const fits = (packet) => taken.packets.length === 0 || JSON.stringify(taken.packets).length + packet.said.length <= letters;
    for (const packet of carried.filter((packet) => again || fresh(packet))) {
      if (!fits(packet)) { taken.left += packet.facts; continue; }
      taken.packets.push({ said: packet.said, seal: packet.seal, facts: packet.facts });
      taken.seals.push(packet.seal);
      taken.facts += packet.facts;
    }
    let mine = facts.filter((entry) => again || fresh(entry));
    while (mine.length > 0) {
      const batch = mine.filter((entry) => entry.device === mine[0].device).slice(0, BATCH);
      mine = mine.filter((entry) => !batch.includes(entry));
      const packet = await seal(batch[0].device, batch.map((entry) => entry.fact));
      if (!packet || !fits(packet)) { taken.left += batch.length; continue; }
      taken.packets.push({ ...packet, facts: batch.length });
      taken.numbers.push(...batch.map((entry) => entry.n));
      taken.facts += batch.length;
    }
    return taken;
  }

  // They stay here until the centre has them: what both send counts once.
  async function handedOver({ seals, numbers }) {
    const marking = (await opened).transaction(["facts", "carried"], "readwrite", STRICT);
    for (const [name, keys] of [["facts", numbers], ["carried", seals]]) {
      for (const key of keys) {
        const entry = await marking.objectStore(name).get(key);
        if (entry) marking.objectStore(name).put({ ...entry, handed: true });
      }
    }
    await marking.done;
    await show();
  }

  async function take(packets) {
    const taking = (await opened).transaction("carried", "readwrite", STRICT);
    for (const { said, seal, facts } of packets) taking.store.put({ said: String(said), seal: String(seal), facts: Number(facts) });
    await taking.done;
    await show();
    send();
  }

  window.addEventListener("online", send);
  navigator.storage?.persist?.();
  return { say, send, show, packets, handedOver, take };
}
