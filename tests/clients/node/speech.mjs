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
