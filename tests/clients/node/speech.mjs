// Real speech to say to the relay, and how to wait for what it answers.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export const MODEL = "gpt-realtime";
const SAMPLES = new URL("../../../samples/", import.meta.url);

/** The PCM16 samples of a mono WAV file that is already at 24 kHz, then two seconds of silence. */
export function question() {
  const file = readFileSync(new URL("question.wav", SAMPLES));
  const rate = file.readUInt32LE(24);
  if (rate !== 24000) throw new Error(`question.wav must be at 24 kHz, is at ${rate}`);
  return Buffer.concat([file.subarray(file.indexOf("data") + 8), Buffer.alloc(2 * 24000 * 2)]);
}

/** A mono WAV file at 16 kHz, brought to 24 kHz by straight lines, then two seconds of silence. */
export function recording(name) {
  const file = readFileSync(new URL(name, SAMPLES));
  if (file.readUInt32LE(24) !== 16000) throw new Error(`${name} must be at 16 kHz`);
  const bytes = file.subarray(file.indexOf("data") + 8);
  const sample = (at) => bytes.readInt16LE(2 * Math.min(at, bytes.length / 2 - 1));
  const sound = Buffer.alloc(2 * Math.floor((bytes.length * 3) / 4));
  for (let at = 0; at < sound.length / 2; at++) {
    const [here, part] = [Math.floor((at * 2) / 3), ((at * 2) % 3) / 3];
    sound.writeInt16LE(Math.round(sample(here) * (1 - part) + sample(here + 1) * part), 2 * at);
  }
  return Buffer.concat([sound, Buffer.alloc(2 * 24000 * 2)]);
}

/** Calls `append` with 20 ms at a time, at the pace of speech. */
export async function speak(sound, append) {
  for (let start = 0; start < sound.length; start += 960) {
    append(sound.subarray(start, start + 960));
    await sleep(20);
  }
}

/** The first event of `emitter` called `name` for which `wanted` holds. */
export function once(emitter, name, wanted = () => true, seconds = 60) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} within ${seconds} s`)), seconds * 1000);
    emitter.on(name, (event) => {
      if (!wanted(event)) return;
      clearTimeout(timer);
      resolve(event);
    });
  });
}
