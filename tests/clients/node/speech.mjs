// Real speech to say to the relay, and how to wait for what it answers.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export const MODEL = "gpt-realtime";
// What takes the embedded agent longer to say than anybody waits: about 40 s.
export const LONG = "say " + "the quick brown fox jumps over the lazy dog, and ".repeat(12);
export const QUESTION = `${process.env.RELAY_ROOT}/samples/question.wav`;

const SILENCE = Buffer.alloc(2 * 24000 * 2);

/** The PCM16 samples of a mono WAV file that is already at 24 kHz, then two seconds of silence. */
function sound(file) {
  const rate = file.readUInt32LE(24);
  if (rate !== 24000) throw new Error(`speech must be at 24 kHz, is at ${rate}`);
  return Buffer.concat([file.subarray(file.indexOf("data") + 8), SILENCE]);
}

/** "Hello. What is twelve times seven?" */
export const question = () => sound(readFileSync(QUESTION));

/** The relay's own voice, saying these words. */
export async function voice(input) {
  const response = await fetch(`${process.env.RELAY_URL}/v1/audio/speech`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.RELAY_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "tts-1", voice: "alloy", input, response_format: "wav" }),
  });
  if (!response.ok) throw new Error(await response.text());
  return sound(Buffer.from(await response.arrayBuffer()));
}

/** A mono WAV file at 16 kHz, brought to 24 kHz by straight lines, then two seconds of silence. */
export function recording(name) {
  const file = readFileSync(`${process.env.RELAY_ROOT}/samples/${name}`);
  if (file.readUInt32LE(24) !== 16000) throw new Error(`${name} must be at 16 kHz`);
  const bytes = file.subarray(file.indexOf("data") + 8);
  const sample = (at) => bytes.readInt16LE(2 * Math.min(at, bytes.length / 2 - 1));
  const samples = Buffer.alloc(2 * Math.floor((bytes.length * 3) / 4));
  for (let at = 0; at < samples.length / 2; at++) {
    const [here, part] = [Math.floor((at * 2) / 3), ((at * 2) % 3) / 3];
    samples.writeInt16LE(Math.round(sample(here) * (1 - part) + sample(here + 1) * part), 2 * at);
  }
  return Buffer.concat([samples, SILENCE]);
}

/** Calls `append` with 20 ms at a time, at the pace of speech. */
export async function speak(samples, append) {
  for (let start = 0; start < samples.length; start += 960) {
    append(samples.subarray(start, start + 960));
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
