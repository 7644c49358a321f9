/** Mono samples from one rate to another by a windowed sinc, as they come, without a seam between blocks. */

const TAPS = 32;
const PHASES = 128;

export class Resampler {
  readonly #step: number;
  readonly #kernels: Float32Array[];
  /** The last samples of what came before; as many as the kernel reaches back. */
  #past = new Float32Array(TAPS);
  /** Where the next sample lies, in input samples from the start of `#past`. */
  #at = TAPS / 2;

  constructor(from: number, to: number) {
    this.#step = from / to;
    // Below both Nyquist frequencies, with room for the filter's slope.
    this.#kernels = kernels(Math.min(1, to / from) * 0.92);
  }

  push(input: Float32Array): Float32Array {
    const line = new Float32Array(this.#past.length + input.length);
    line.set(this.#past);
    line.set(input, this.#past.length);
    const last = line.length - TAPS / 2;
    const output = new Float32Array(Math.max(0, Math.ceil((last - this.#at) / this.#step)));
    let count = 0;
    for (; this.#at < last; this.#at += this.#step) output[count++] = this.#sample(line, this.#at);
    const drop = line.length - TAPS;
    this.#past = line.slice(drop);
    this.#at -= drop;
    return output.subarray(0, count);
  }

  #sample(line: Float32Array, at: number): number {
    const whole = Math.floor(at);
    const kernel = this.#kernels[Math.floor((at - whole) * PHASES)] as Float32Array;
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      sum += (line[whole - TAPS / 2 + 1 + tap] ?? 0) * (kernel[tap] as number);
    }
    return sum;
  }
}

function kernels(cutoff: number): Float32Array[] {
  return Array.from({ length: PHASES }, (_, phase) => {
    const kernel = Float32Array.from({ length: TAPS }, (_, tap) => {
      const distance = tap - TAPS / 2 + 1 - (phase + 0.5) / PHASES;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / (TAPS / 2));
      const angle = Math.PI * cutoff * distance;
      return (angle === 0 ? cutoff : (cutoff * Math.sin(angle)) / angle) * Math.max(0, window);
    });
    // A constant stays the constant it was, whatever the phase.
    const sum = kernel.reduce((total, weight) => total + weight, 0);
    return kernel.map((weight) => weight / sum);
  });
}

/** Samples as the protocol has them: 16 bits, little endian, as every browser's machine stores them. */
export function toPcm(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
}
