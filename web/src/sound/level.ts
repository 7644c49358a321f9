/** How loud it is, for a meter: 0 is silence, 1 as loud as it gets. */
export class Level {
  readonly node: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  #shown = 0;

  constructor(context: BaseAudioContext) {
    this.node = new AnalyserNode(context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.node.fftSize);
  }

  /** Call once a frame: rises at once and falls slowly, as the eye likes it. */
  read(): number {
    this.node.getFloatTimeDomainData(this.#samples);
    const now = loudness(this.#samples);
    this.#shown = now > this.#shown ? now : this.#shown * 0.88 + now * 0.12;
    return this.#shown;
  }
}

/** Root mean square on a scale of decibels, from −54 dBFS to −12 dBFS: from a quiet room to a voice close by. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-10);
  return Math.min(1, Math.max(0, (decibels + 54) / 42));
}
