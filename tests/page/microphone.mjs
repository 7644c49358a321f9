// What the fake microphone of a browser hears: recorded speech with silence between, as a WAV file of 48 kHz.

import { readFileSync, writeFileSync } from "node:fs";

const RATE = 48_000;
const samples = process.env.RELAY_SAMPLES ?? new URL("../../samples/", import.meta.url).pathname;

/** Writes what is said after so many seconds of silence each: `[3, "question"], [8, "cards-005"]`. Silence follows. */
export function script(path, ...lines) {
  const parts = lines.flatMap(([silence, name]) => [new Int16Array(Math.round(silence * RATE)), speech(name)]);
  parts.push(new Int16Array(60 * RATE));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new Int16Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  writeFileSync(path, wav(all));
  return path;
}

/** How long a recording lasts, in seconds. */
export const seconds = (name) => speech(name).length / RATE;

function speech(name) {
  const file = readFileSync(`${samples}/${name}.wav`);
  const rate = file.readUInt32LE(24);
  const data = file.indexOf("data") + 8;
  const heard = new Int16Array(file.buffer.slice(file.byteOffset + data, file.byteOffset + file.length - ((file.length - data) % 2)));
  const times = RATE / rate;
  // Straight lines between samples: what they add lies above anything a voice or a recogniser has.
  return Int16Array.from({ length: heard.length * times }, (_, index) => {
    const whole = Math.floor(index / times);
    const part = index / times - whole;
    return heard[whole] * (1 - part) + (heard[whole + 1] ?? 0) * part;
  });
}

function wav(samples) {
  const bytes = Buffer.from(samples.buffer);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + bytes.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(bytes.length, 40);
  return Buffer.concat([head, bytes]);
}
