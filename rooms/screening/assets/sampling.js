// The sampling screen: scan a tube, scan people, seal. Facts wait in the browser until the centre has them.
"use strict";
(() => {
  const root = document.getElementById("sampling");
  if (!root) return;
  const $ = (id) => document.getElementById(id);
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
  const device = BigInt(meta("baton-device") || "0");
  const csrf = meta("baton-csrf");
  const bucket = BigInt(root.dataset.bucket);
  const word = (key) => document.querySelector(`#words [data-word="${key}"]`)?.textContent ?? key;

  // ---- Ids: bucket 7 bits, device 24 bits, sequence 32 bits. The sayer makes them; a resend is the same id. ----
  const SEQUENCE = `baton-sequence-${device}`;
  const EPOCH = Date.UTC(2026, 0, 1);
  function newId() {
    // Tenths of a second since 2026 are the floor, so that a browser whose storage was emptied does not count again from 1.
    const floor = Math.max(1, Math.floor((Date.now() - EPOCH) / 100) % 0xfffffff0);
    const next = Math.max(Number(localStorage.getItem(SEQUENCE) ?? 0) + 1, floor);
    localStorage.setItem(SEQUENCE, String(next));
    return ((bucket << 56n) | (device << 32n) | BigInt(next)).toString();
  }

  // ---- The queue: in local storage until acknowledged, oldest first, sent by one sender at a time. ----
  const QUEUE = "baton-queue", STUCK = "baton-stuck";
  const load = (key) => { try { return JSON.parse(localStorage.getItem(key) ?? "[]"); } catch { return []; } };
  const store = (key, list) => localStorage.setItem(key, JSON.stringify(list));
  let sending = false, wait = 2000, timer = 0, offline = false;

  function say(kind, body) {
    const fact = { id: newId(), kind, happened_us: Date.now() * 1000, body };
    const queue = load(QUEUE);
    queue.push(fact);
    store(QUEUE, queue);
    showQueue();
    send();
    return fact.id;
  }

  async function send() {
    if (sending) return;
    sending = true;
    clearTimeout(timer);
    try {
      for (let batch = load(QUEUE).slice(0, 50); batch.length > 0; batch = load(QUEUE).slice(0, 50)) {
        const response = await fetch("/v1/facts", {
          method: "POST",
          headers: { "content-type": "application/json", "x-baton-csrf": csrf },
          body: JSON.stringify({ facts: batch, sent_us: Date.now() * 1000 }),
        });
        if (response.status === 401) { note(word("sampling-sign-in-again"), "bad"); throw new Error("signed out"); }
        if (!response.ok) throw new Error(`status ${response.status}`);
        const { answers } = await response.json();
        const done = new Set(), refused = new Map();
        for (const answer of answers) {
          if (answer.status === "recorded") { done.add(answer.id); for (const told of answer.notes ?? []) note(told.message, "warn", told.code); continue; }
          // A full lane passes; anything else will be refused again.
          if (["lane-full", "shutting-down", "store-full", "store-away", "store-broken", "readers-busy"].includes(answer.refusal.code)) throw new Error(answer.refusal.code);
          refused.set(answer.id, answer.refusal);
        }
        for (const fact of batch.filter((fact) => refused.has(fact.id))) {
          note(refused.get(fact.id).message, "bad", refused.get(fact.id).code);
          store(STUCK, [...load(STUCK), { ...fact, refusal: refused.get(fact.id) }]);
        }
        store(QUEUE, load(QUEUE).filter((fact) => !done.has(fact.id) && !refused.has(fact.id)));
        wait = 2000;
        offline = false;
        showQueue();
      }
    } catch {
      offline = true;
      timer = setTimeout(send, wait);
      wait = Math.min(wait * 2, 30000);
    } finally {
      sending = false;
      showQueue();
    }
  }

  function showQueue() {
    const waiting = load(QUEUE).length, stuck = load(STUCK);
    // Three different words: sent to the centre, waiting on this device, refused by the centre.
    $("queue-state").textContent = waiting === 0 ? word("sampling-all-sent") : `${word(offline ? "sampling-offline" : "sampling-queued")} ${waiting}`;
    $("queue-state").className = waiting > 0 && offline ? "warn" : "soft";
    $("queue-state").dataset.waiting = String(waiting);
    $("send-now").hidden = waiting === 0;
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

  function openTube(code) {
    if (tube) {
      note(word("sampling-seal-first"), "warn", "seal-first");
      $("seal-count").focus();
      return;
    }
    const single = $("single").checked, ratio = single ? 1 : Number(root.dataset.ratio);
    const body = { code, campaign: root.dataset.campaign, point: root.dataset.point, ratio };
    if (root.dataset.lot) body.fluid_lot = root.dataset.lot;
    if (single) body.follow_up = true;
    tube = { id: say("screening.tube_opened", body), code, ratio, members: [] };
    $("single").checked = false;
    $("last-name").textContent = "";
    beep(true);
    draw();
  }

  function addPerson(found) {
    if (!tube) { note(word("sampling-open-first"), "warn", "open-first"); return; }
    const scan = say("screening.person_sampled", { tube: tube.id, person: found.person });
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
    button.addEventListener("click", () => { $("choices").replaceChildren(); act(); $("scan").focus(); });
    return button;
  }

  // ---- What was scanned. ----
  let chain = Promise.resolve();
  const handle = (text) => { chain = chain.then(() => understand(text.trim())).catch(() => {}); };

  async function understand(text) {
    if (!text) return;
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
    act(found, text);
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

  function act(found, text) {
    switch (found.kind) {
      case "person": addPerson(found); break;
      case "choices": choose(found.people); break;
      case "unknown_person": offerRegistration(found); break;
      case "lot": note(`${found.code}`, found.usable ? "good" : "bad", "lot"); root.dataset.lot = found.lot; break;
      case "label": openTube(found.code); break;
      case "tube":
        if (tube && found.tube === tube.id) { $("seal-count").focus(); break; }
        // The label was used: that is a fact to be recorded and a finding to be settled, not to be hidden.
        openTube(found.code);
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
      addPerson({ person: answer.person, name: body.name, document_tail: body.document.slice(-4) });
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
    const last = tube?.members.pop();
    if (!last) return;
    say("screening.scan_undone", { scan: last.scan, reason: $("undo-reason").value });
    $("last-name").textContent = "";
    $("household").replaceChildren();
    note(`${word("sampling-undone")} ${last.name}`, "good", "undone");
    draw();
    scan.focus();
  });

  $("seal-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const count = Number($("seal-count").value);
    if (!tube || !Number.isInteger(count) || count < 0) return;
    say("screening.tube_sealed", { tube: tube.id, count });
    note(`${word("sampling-sealed")} ${tube.code} (${count})`, count === tube.members.length ? "good" : "warn", "sealed");
    tube = null;
    $("last-name").textContent = "";
    $("household").replaceChildren();
    draw();
    scan.focus();
  });
  // The shared script disables a button after its form was sent; these forms stay.
  for (const id of ["scan-form", "undo-form", "seal-form", "register"]) {
    $(id).addEventListener("submit", (event) => setTimeout(() => { if (event.submitter) event.submitter.disabled = false; draw(); }, 1));
  }

  $("send-now").addEventListener("click", send);
  window.addEventListener("online", send);

  // ---- Camera: read by the browser itself where it can, else by a reader that is loaded when it is first wanted. ----
  const FORMATS = ["QRCode", "Code128", "Code39", "DataMatrix"];
  async function codeReader() {
    const own = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats().catch(() => []) : [];
    if (own.includes("qr_code") && own.includes("code_128")) {
      const detector = new BarcodeDetector();
      return async (picture) => (await detector.detect(picture))[0]?.rawValue;
    }
    await new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: "/assets/zxing-reader.js", onload: done, onerror: failed });
      document.head.append(script);
    });
    await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => "/assets/zxing-reader.wasm" }, fireImmediately: true });
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    return async (picture) => {
      [canvas.width, canvas.height] = [picture.videoWidth, picture.videoHeight];
      if (!canvas.width) return undefined;
      pen.drawImage(picture, 0, 0);
      const found = await ZXingWASM.readBarcodes(pen.getImageData(0, 0, canvas.width, canvas.height), { formats: FORMATS, maxNumberOfSymbols: 1 });
      return found[0]?.text;
    };
  }
  if (navigator.mediaDevices?.getUserMedia) {
    const picture = $("camera-picture");
    let stream = null;
    $("camera").hidden = false;
    const stop = () => { stream?.getTracks().forEach((track) => track.stop()); stream = null; picture.hidden = true; };
    $("camera").addEventListener("click", async () => {
      if (stream) { stop(); return; }
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
        picture.srcObject = stream;
        picture.hidden = false;
        await picture.play();
        const read = await codeReader();
        let last = "", at = 0;
        while (stream) {
          const code = await read(picture).catch(() => undefined);
          // One code held before the camera is one scan.
          if (code && (code !== last || Date.now() - at > 3000)) { last = code; at = Date.now(); handle(code); }
          else if (code) at = Date.now();
          await new Promise((done) => setTimeout(done, 150));
        }
      } catch { note(word("sampling-camera-none"), "warn"); stop(); }
    });
  }

  // The screen opens without the server too: this page is kept as it was drawn last.
  if ("serviceWorker" in navigator && globalThis.isSecureContext) {
    const keptAlready = navigator.serviceWorker.controller !== null;
    navigator.serviceWorker.register("/offline-worker.js?page=/sampling&last&asset=screening.css&asset=sampling.js", { scope: "/sampling" }).catch(() => {});
    navigator.serviceWorker.ready
      .then(() => caches.open("baton-kept-1 /sampling"))
      .then((kept) => keptAlready || kept.add(new Request(location.href, { cache: "reload" })))
      .then(() => (document.documentElement.dataset.kept = "yes"), () => {});
  }

  restore();
  showQueue();
  send();
})();
