// A camera that reads codes: by the browser itself where it can, else by a reader that is loaded when it is first wanted.
"use strict";

const FORMATS = ["QRCode", "Code128", "Code39", "DataMatrix"];
const READER = ["/assets/zxing-reader.js", "/assets/zxing-reader.wasm"];

async function readsByItself() {
  const own = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats().catch(() => []) : [];
  return own.includes("qr_code") && own.includes("code_128");
}

// Asked for while there is a network, so that the page's worker keeps it for when there is none.
export async function keepReader() {
  if (!(await readsByItself())) await Promise.all(READER.map((path) => fetch(path)));
}

async function codeReader() {
  if (await readsByItself()) {
    const detector = new BarcodeDetector();
    return async (picture) => (await detector.detect(picture))[0]?.rawValue;
  }
  await new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: READER[0], onload: done, onerror: failed });
    document.head.append(script);
  });
  await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => READER[1] }, fireImmediately: true });
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

// Gives what opens and closes the camera; each code held before it is given once.
export function camera(picture, found, none) {
  let stream = null;
  const stop = () => { stream?.getTracks().forEach((track) => track.stop()); stream = null; picture.hidden = true; };
  return async () => {
    if (stream) { stop(); return; }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      picture.srcObject = stream;
      picture.hidden = false;
      await picture.play();
      const read = await codeReader();
      let last = "", at = 0;
      while (stream) {
        const code = await read(picture).catch(() => undefined);
        if (code && (code !== last || Date.now() - at > 3000)) { last = code; at = Date.now(); found(code); }
        else if (code) at = Date.now();
        await new Promise((done) => setTimeout(done, 100));
      }
    } catch { none(); stop(); }
  };
}
