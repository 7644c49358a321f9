/** The audio thread's end of the microphone: 24 kHz PCM in pieces of 40 ms, whatever rate the device has. */

import { Resampler, toPcm } from "./resample.ts";

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #piece = new Int16Array(PIECE);
  #filled = 0;

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0];
    if (input) this.#take(toPcm(this.#resampler.push(input)));
    return true;
  }

  #take(samples: Int16Array): void {
    for (const sample of samples) {
      this.#piece[this.#filled++] = sample;
      if (this.#filled < PIECE) continue;
      this.port.postMessage(this.#piece, [this.#piece.buffer]);
      this.#piece = new Int16Array(PIECE);
      this.#filled = 0;
    }
  }
}

const RATE = 24_000;
const PIECE = RATE / 25;

registerProcessor("capture", Capture);
