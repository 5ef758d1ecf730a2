// From device to device without a network: one shows what waits as a film of QR codes, the other reads it with its camera.
//   BH1.<eight digits of its hash>.<which>.<of how many>.<bytes in base64>
"use strict";
import { hexOf } from "/assets/device-queue.js";

const CHUNK = 240, MOST_FRAMES = 120;
// A screen may not flash more than three times a second.
const EVERY_MS = 340;
// So much is shown in one film; the rest in the next.
export const LETTERS = 60000;
// A film that unpacks to more is no film of ours.
const MOST_BYTES = 1 << 20;

const through = (bytes, stream) => new Blob([bytes]).stream().pipeThrough(stream);
const deflated = async (bytes) => new Uint8Array(await new Response(through(bytes, new CompressionStream("deflate-raw"))).arrayBuffer());

async function inflated(bytes) {
  const parts = [];
  let size = 0;
  for (const reader = through(bytes, new DecompressionStream("deflate-raw")).getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).text();
    size += value.length;
    if (size > MOST_BYTES) throw new Error("too long");
    parts.push(value);
  }
}

const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

// The film's name, and the four digits by which two people know what the other device holds: all, or all but the tube in hand.
async function marks(bytes) {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  const digits = (at) => String(new DataView(hash).getUint32(at) % 10000).padStart(4, "0");
  return { name: hexOf(hash).slice(0, 8), all: digits(4), butTube: digits(8) };
}

async function film(what) {
  const bytes = await deflated(new TextEncoder().encode(JSON.stringify(what)));
  const { name, all, butTube } = await marks(bytes);
  const count = Math.ceil(bytes.length / CHUNK);
  const frames = Array.from({ length: count }, (_, at) => `BH1.${name}.${at}.${count}.${toBase64(bytes.subarray(at * CHUNK, (at + 1) * CHUNK))}`);
  return { frames, all, butTube };
}

// Shows the film on the canvas until it is stopped; `shown(which, of)` says where it is.
export async function show(what, canvas, shown) {
  const { generate, correction } = await import("/assets/lean-qr.js");
  const { frames, all, butTube } = await film(what);
  if (frames.length > MOST_FRAMES) throw new Error("too long");
  let at = 0;
  const draw = () => {
    const code = generate(frames[at], { minCorrectionLevel: correction.L, maxCorrectionLevel: correction.M });
    code.toCanvas(canvas, { on: [0, 0, 0, 255], off: [255, 255, 255, 255] });
    canvas.dataset.frame = String(at);
    shown(at + 1, frames.length);
    at = (at + 1) % frames.length;
  };
  draw();
  const turning = frames.length > 1 ? setInterval(draw, EVERY_MS) : 0;
  return { all, butTube, frames: frames.length, stop: () => clearInterval(turning) };
}

// Frames of one film, in any order, until all are there; a film that was read to its end says nothing more.
export function taker() {
  let name = "", parts = [], read = "";
  return async (text) => {
    const [, film, which, count, data] = /^BH1\.([0-9a-f]{8})\.(\d{1,3})\.(\d{1,3})\.([\w-]+)$/.exec(text) ?? [];
    if (!film || Number(count) > MOST_FRAMES || Number(which) >= Number(count)) throw new Error("no frame");
    if (film === read) return undefined;
    if (film !== name) [name, parts] = [film, new Array(Number(count)).fill(undefined)];
    parts[Number(which)] = fromBase64(data);
    const got = parts.filter(Boolean).length;
    if (got < parts.length) return { got, of: parts.length, have: parts.map(Boolean) };
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    const known = await marks(bytes);
    if (known.name !== name) { name = ""; throw new Error("torn"); }
    read = name;
    return { got, of: parts.length, have: parts.map(Boolean), all: known.all, butTube: known.butTube, what: JSON.parse(await inflated(bytes)) };
  };
}
