// The sampling screen: scan a tube, scan people, seal. Facts wait in the browser until the centre has them.
"use strict";
import { deviceQueue } from "/assets/device-queue.js";

// Loaded when first wanted; the page's worker keeps both.
const cameras = () => import("/assets/camera.js");
const handOver = () => import("/assets/hand-over.js");

const KEPT = ["screening.css", "sampling.js", "device-queue.js", "hand-over.js", "camera.js", "idb.js", "lean-qr.js"];
const root = document.getElementById("sampling");
if (root) {
  const $ = (id) => document.getElementById(id);
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
  const device = meta("baton-device") || "0", csrf = meta("baton-csrf");
  const word = (key) => document.querySelector(`#words [data-word="${key}"]`)?.textContent ?? key;

  // ---- What was said waits in the queue of this device. ----
  const queue = deviceQueue({
    device,
    bucket: BigInt(root.dataset.bucket),
    csrf,
    sealingKey: root.dataset.sealingKey,
    told: (told) => note(told.message, "warn", told.code),
    refused: (refusal) => note(refusal.message, "bad", refusal.code),
    signedOut: () => note(word("sampling-sign-in-again"), "bad"),
    shown: showQueue,
  });

  // What a hand does comes after what it did before, each stored before the next is shown.
  let chain = Promise.resolve();
  const then = (work) => { chain = chain.then(work).catch((problem) => note(`${word("sampling-not-stored")} ${problem.name ?? ""}`, "bad", "not-stored")); };

  function showQueue({ waiting, handed, stuck, offline, mayHandOver }) {
    // Different words: sent to the centre, waiting on this device, with another device too, refused by the centre.
    const state = waiting === 0 ? word("sampling-all-sent") : `${word(offline ? "sampling-offline" : "sampling-queued")} ${waiting}`;
    $("queue-state").textContent = waiting > 0 && handed > 0 ? `${state} · ${word("sampling-handed-over")} ${handed}` : state;
    $("queue-state").className = waiting > 0 && offline ? "warn" : "soft";
    $("queue-state").dataset.waiting = String(waiting);
    $("queue-state").dataset.handed = String(handed);
    $("send-now").hidden = waiting === 0;
    $("hand-over-open").hidden = !(waiting > 0 && offline && mayHandOver);
    $("stuck").hidden = stuck.length === 0;
    if (stuck.length > 0) $("stuck").href = `data:application/json,${encodeURIComponent(JSON.stringify(stuck))}`;
  }

  // ---- Being heard and seen. ----
  let audio = null;
  function beep(good) {
    try {
      audio ??= new AudioContext();
      const tone = audio.createOscillator(), volume = audio.createGain();
      tone.frequency.value = good ? 880 : 220;
      volume.gain.value = 0.1;
      tone.connect(volume).connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + (good ? 0.08 : 0.35));
    } catch { /* no sound on this device */ }
    navigator.vibrate?.(good ? 40 : [120, 60, 120]);
  }

  function note(text, level, code) {
    const line = document.createElement("p");
    line.className = `notice ${level}`;
    line.textContent = text;
    if (code) line.dataset.code = code;
    $("notes").prepend(line);
    while ($("notes").children.length > 6) $("notes").lastChild.remove();
    if (level !== "good") beep(false);
  }

  // ---- The tube in hand. ----
  const HAND = `baton-tube-${root.dataset.campaign}-${root.dataset.point}`;
  let tube = null;

  function restore() {
    // What this browser remembers may be newer than what the page was drawn from: its facts may still wait here.
    try { tube = JSON.parse(localStorage.getItem(HAND) ?? "null"); } catch { tube = null; }
    if (!tube && root.dataset.tube) {
      const members = [...$("members").children].map((row) => ({ scan: row.dataset.scan, person: row.dataset.person, name: row.textContent })).reverse();
      tube = { id: root.dataset.tube, code: root.dataset.tubeCode, ratio: Number(root.dataset.tubeRatio), members };
    }
    draw();
  }

  function draw() {
    localStorage.setItem(HAND, JSON.stringify(tube));
    const members = tube?.members ?? [], ratio = tube?.ratio ?? Number(root.dataset.ratio);
    $("tube-code").textContent = tube?.code ?? "";
    $("count").textContent = String(members.length);
    $("ratio").textContent = String(ratio);
    $("count").parentElement.className = members.length > ratio ? "count over" : members.length === ratio ? "count full" : "count";
    $("scan-label").textContent = word(tube ? "sampling-scan" : "sampling-scan-tube");
    $("members").replaceChildren(...[...members].reverse().map((member) => {
      const row = document.createElement("li");
      row.textContent = member.name;
      row.dataset.scan = member.scan;
      row.dataset.person = member.person;
      return row;
    }));
    $("undo").disabled = members.length === 0;
    $("seal").disabled = !tube;
    if (!tube) $("seal-count").value = "";
  }

  async function openTube(code) {
    if (tube) {
      note(word("sampling-seal-first"), "warn", "seal-first");
      $("seal-count").focus();
      return;
    }
    const single = $("single").checked, ratio = single ? 1 : Number(root.dataset.ratio);
    const body = { code, campaign: root.dataset.campaign, point: root.dataset.point, ratio };
    if (root.dataset.lot) body.fluid_lot = root.dataset.lot;
    if (single) body.follow_up = true;
    tube = { id: await queue.say("screening.tube_opened", body), code, ratio, members: [] };
    $("single").checked = false;
    $("last-name").textContent = "";
    beep(true);
    draw();
  }

  async function addPerson(found) {
    if (!tube) { note(word("sampling-open-first"), "warn", "open-first"); return; }
    const scan = await queue.say("screening.person_sampled", { tube: tube.id, person: found.person });
    tube.members.push({ scan, person: found.person, name: found.name || found.person });
    draw();
    showName(found);
    beep(true);
    showHousehold(found);
  }

  function showName(found) {
    const tail = document.createElement("small");
    tail.textContent = found.document_tail ? `…${found.document_tail}` : "";
    $("last-name").replaceChildren(found.name || word("sampling-offline"), tail);
  }

  // People of one household, or of one workplace, go into one tube when they come together.
  function showHousehold(found) {
    const taken = new Set(tube.members.map((member) => member.person));
    const others = (found.household ?? []).filter((person) => !taken.has(person.person));
    const workmates = (found.workmates ?? []).filter((person) => !taken.has(person.person));
    const box = $("household");
    box.replaceChildren();
    if (workmates.length > 0) box.append(workmateList(workmates, others));
    if (others.length === 0) return;
    const line = document.createElement("p");
    line.textContent = word(others.length > tube.ratio - tube.members.length ? "sampling-new-tube-for-all" : "sampling-came-along");
    box.prepend(line, ...others.map((person) => personButton(person, () => addPerson({ ...person, household: others, workmates }))));
  }

  // Folded away: the next person's code is scanned more often than a workmate is tapped.
  function workmateList(workmates, household) {
    const list = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = word("sampling-workmates");
    list.append(summary, ...workmates.map((person) => personButton(person, () => addPerson({ ...person, household, workmates }))));
    return list;
  }

  function personButton(person, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.person = person.person;
    button.textContent = `${person.name} …${person.document_tail}`;
    button.addEventListener("click", () => { $("choices").replaceChildren(); then(act); $("scan").focus(); });
    return button;
  }

  // ---- What was scanned. ----
  const handle = (text) => then(() => understand(text.trim()));

  async function understand(text) {
    if (!text) return;
    if (text.startsWith("BH1.")) { await takeOver(text); return; }
    $("choices").replaceChildren();
    $("register").hidden = true;
    let found;
    try {
      const query = new URLSearchParams({ code: text, campaign: root.dataset.campaign });
      const response = await fetch(`/v1/screening/scan?${query}`, { signal: AbortSignal.timeout(2500) });
      found = await response.json();
      if (!response.ok) { note(found.message ?? String(response.status), "bad", found.code); return; }
    } catch {
      found = withoutNetwork(text);
    }
    await act(found, text);
  }

  // Without a network a person's code still tells whose it is; a document number does not.
  function withoutNetwork(text) {
    if (text.startsWith("BP1.")) {
      try {
        const base64 = text.slice(4, 16).replaceAll("-", "+").replaceAll("_", "/");
        const bytes = [...atob(base64)].slice(0, 8).map((letter) => letter.charCodeAt(0));
        return { kind: "person", person: bytes.reduce((id, byte) => (id << 8n) | BigInt(byte), 0n).toString(), name: "" };
      } catch { return { kind: "nothing" }; }
    }
    return tube || /^\d{17}[\dXx]$/.test(text) ? { kind: "nothing" } : { kind: "label", code: text };
  }

  async function act(found, text) {
    switch (found.kind) {
      case "person": await addPerson(found); break;
      case "choices": choose(found.people); break;
      case "unknown_person": offerRegistration(found); break;
      case "lot": note(`${found.code}`, found.usable ? "good" : "bad", "lot"); root.dataset.lot = found.lot; break;
      case "label": await openTube(found.code); break;
      case "tube":
        if (tube && found.tube === tube.id) { $("seal-count").focus(); break; }
        // The label was used: that is a fact to be recorded and a finding to be settled, not to be hidden.
        await openTube(found.code);
        break;
      default: note(word("sampling-needs-network"), "warn", "needs-network"); $("scan").value = text; $("scan").select();
    }
  }

  function choose(people) {
    const line = document.createElement("p");
    line.textContent = word("sampling-choose-person");
    $("choices").replaceChildren(line, ...people.map((person) => personButton(person, () => addPerson(person))));
    $("choices").querySelector("button")?.focus();
  }

  function offerRegistration(found) {
    $("register").hidden = false;
    $("register-document").value = found.document;
    $("register").dataset.kind = found.document_kind;
    beep(false);
    $("register-name").focus();
  }

  $("register").addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { name: $("register-name").value.trim(), document_kind: $("register").dataset.kind, document: $("register-document").value, place: root.dataset.point };
    if ($("register-phone").value.trim()) body.phone = $("register-phone").value.trim();
    try {
      const response = await fetch(root.dataset.register, { method: "POST", headers: { "content-type": "application/json", "x-baton-csrf": csrf }, body: JSON.stringify(body) });
      const answer = await response.json();
      if (!response.ok) { note(answer.message ?? String(response.status), "bad", answer.code); return; }
      $("register").hidden = true;
      then(() => addPerson({ person: answer.person, name: body.name, document_tail: body.document.slice(-4) }));
      $("register-name").value = $("register-phone").value = "";
    } catch { note(word("sampling-needs-network"), "warn", "needs-network"); }
    $("scan").focus();
  });
  $("register-cancel").addEventListener("click", () => { $("register").hidden = true; $("scan").focus(); });

  // ---- Keyboard wedge: fast keys, then Enter or Tab. ----
  const scan = $("scan");
  function take() {
    const text = scan.value;
    scan.value = "";
    handle(text);
  }
  $("scan-form").addEventListener("submit", (event) => { event.preventDefault(); take(); scan.focus(); });
  scan.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && !event.shiftKey && scan.value.trim()) { event.preventDefault(); take(); }
  });
  // A scanner types wherever the cursor is; outside of a field its keys belong to the scan.
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest?.("input, select, textarea, button, a");
    if (!busy && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) scan.focus();
  });

  $("undo-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = $("undo-reason").value;
    then(async () => {
      const last = tube?.members.at(-1);
      if (!last) return;
      await queue.say("screening.scan_undone", { scan: last.scan, reason });
      tube.members.pop();
      $("last-name").textContent = "";
      $("household").replaceChildren();
      note(`${word("sampling-undone")} ${last.name}`, "good", "undone");
      draw();
    });
    scan.focus();
  });

  $("seal-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const count = Number($("seal-count").value);
    if (!Number.isInteger(count) || count < 0) return;
    then(async () => {
      if (!tube) return;
      await queue.say("screening.tube_sealed", { tube: tube.id, count });
      note(`${word("sampling-sealed")} ${tube.code} (${count})`, count === tube.members.length ? "good" : "warn", "sealed");
      tube = null;
      $("last-name").textContent = "";
      $("household").replaceChildren();
      draw();
    });
    scan.focus();
  });
  // The shared script disables a button after its form was sent; these forms stay.
  for (const id of ["scan-form", "undo-form", "seal-form", "register", "hand-over-form"]) {
    $(id).addEventListener("submit", (event) => setTimeout(() => { if (event.submitter) event.submitter.disabled = false; draw(); }, 1));
  }

  $("send-now").addEventListener("click", queue.send);

  if (navigator.mediaDevices?.getUserMedia) {
    $("camera").hidden = false;
    let turn;
    $("camera").addEventListener("click", async () => {
      turn ??= cameras().then(({ camera }) => camera($("camera-picture"), handle, () => note(word("sampling-camera-none"), "warn")));
      (await turn)();
    });
  }

  // ---- Handing over to another device: see hand-over.js. ----
  const filled = (key, values) => Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), word(key));
  let film = null, packed = null;
  $("hand-over-open").addEventListener("click", () => then(async () => {
    const { LETTERS, show } = await handOver();
    packed = await queue.packets(LETTERS);
    const hand = tube && { id: tube.id, code: tube.code, ratio: tube.ratio, members: tube.members.map(({ scan, person }) => ({ scan, person })) };
    const what = { packets: packed.packets, hand, campaign: root.dataset.campaign, point: root.dataset.point };
    $("hand-over").hidden = false;
    film?.stop();
    film = await show(what, $("hand-over-code"), (which, of) => {
      $("hand-over-state").textContent = filled("sampling-hand-over-shows", { facts: packed.facts, which, of });
    });
    $("hand-over-code").dataset.frames = String(film.frames);
    $("hand-over-code").scrollIntoView({ block: "center" });
  }));
  function closeFilm() {
    film?.stop();
    film = null;
    $("hand-over").hidden = true;
    $("hand-over-check").value = "";
    scan.focus();
  }
  $("hand-over-close").addEventListener("click", closeFilm);
  $("hand-over-form").addEventListener("submit", (event) => {
    event.preventDefault();
    // Whoever offers holds until the other side has it: the other device shows these digits once it holds everything.
    const shown = $("hand-over-check").value.trim(), all = shown === film?.all;
    if (!all && shown !== film?.butTube) { note(word("sampling-hand-over-wrong"), "bad", "hand-over-wrong"); return; }
    closeFilm();
    then(async () => {
      await queue.handedOver(packed);
      if (all) tube = null;
      draw();
      note(filled(packed.left > 0 ? "sampling-hand-over-more" : "sampling-hand-over-done", { facts: packed.facts, left: packed.left }), "good", "handed-over");
    });
  });

  let takeFrame;
  async function takeOver(text) {
    takeFrame ??= (await handOver()).taker();
    let film;
    try { film = await takeFrame(text); } catch { note(word("sampling-hand-over-torn"), "warn", "hand-over-torn"); return; }
    if (!film) return;
    $("taking").hidden = false;
    $("taking-state").textContent = `${word("sampling-taking")} ${film.got}/${film.of}`;
    $("taking-parts").replaceChildren(...film.have.map((have) => Object.assign(document.createElement("i"), { className: have ? "have" : "" })));
    if (!film.what) return;
    const { packets, hand, campaign, point } = film.what;
    await queue.take(packets);
    $("taking-state").textContent = filled("sampling-taken", { facts: packets.reduce((sum, packet) => sum + packet.facts, 0) });
    // Read once more it is the tube already in hand.
    const fits = !hand || tube?.id === hand.id || (!tube && campaign === root.dataset.campaign && point === root.dataset.point);
    $("taking-check").textContent = fits ? film.all : film.butTube;
    beep(true);
    if (!fits) note(filled("sampling-taken-tube-stays", { code: hand.code }), "warn", "tube-stays");
    else if (hand && !tube) {
      tube = { ...hand, members: hand.members.map((member, at) => ({ ...member, name: `#${at + 1}` })) };
      draw();
    }
  }

  // The screen opens without the server too: this page is kept as it was drawn last.
  if ("serviceWorker" in navigator && globalThis.isSecureContext) {
    const keptAlready = navigator.serviceWorker.controller !== null;
    navigator.serviceWorker.register(`/offline-worker.js?page=/sampling&last&${KEPT.map((name) => `asset=${name}`).join("&")}`, { scope: "/sampling" }).catch(() => {});
    navigator.serviceWorker.ready
      .then(() => caches.open("baton-kept-1 /sampling"))
      .then((kept) => keptAlready || kept.add(new Request(location.href, { cache: "reload" })))
      .then(() => (document.documentElement.dataset.kept = "yes"))
      .then(async () => (await cameras()).keepReader())
      .then(() => (document.documentElement.dataset.reads = "yes"))
      .catch(() => {});
  }

  restore();
  queue.show();
  queue.send();
}
