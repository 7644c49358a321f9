/** The audio thread's end of the speaker: plays the queue and tells how far it is. */

import { PlayQueue, type Position } from "./queue.ts";

export type Order = { push: string; samples: Int16Array } | { finish: string } | { flush: true };
export type Told = Position & { flushed?: boolean };

class Playback extends AudioWorkletProcessor {
  #queue = new PlayQueue(sampleRate);
  #blocks = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<Order>) => {
      if ("push" in data) this.#queue.push(data.push, data.samples);
      else if ("finish" in data) this.#queue.finish(data.finish);
      else this.#queue.flush();
    };
  }

  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (out) this.#queue.render(out);
    if (++this.#blocks % TELL_EVERY === 0) this.port.postMessage(this.#queue.position() satisfies Told);
    return true;
  }
}

/** In blocks of 128 samples: every 32 ms at 24 kHz, two frames of a screen. */
const TELL_EVERY = 6;

registerProcessor("playback", Playback);
