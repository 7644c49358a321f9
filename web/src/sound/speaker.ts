/** Plays what comes over a WebSocket, and knows what has been heard of it. */

import { Level } from "./level.ts";
import type { Order, Told } from "./playback.worklet.ts";
import playbackUrl from "./playback.worklet.ts?worker&url";

/** Sound as the protocol carries it. */
export const RATE = 24_000;

export class Speaker {
  readonly level: Level;
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  #told: Told = { item: "", playedMs: 0, waitingMs: 0, sounding: false, totalMs: 0, starvedMs: 0 };
  #toldAt = 0;
  /** The last message of which anything was given, how much, and whether that is all. */
  #item = "";
  #given = 0;
  #complete = false;

  private constructor(context: AudioContext) {
    this.#context = context;
    this.level = new Level(context);
    this.#node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }: MessageEvent<Told>) => {
      this.#told = data;
      this.#toldAt = performance.now();
    };
    this.#node.connect(this.level.node).connect(context.destination);
  }

  /** `context` runs at {@link RATE}. */
  static async open(context: AudioContext): Promise<Speaker> {
    await context.audioWorklet.addModule(playbackUrl);
    return new Speaker(context);
  }

  play(item: string, samples: Int16Array<ArrayBuffer>): void {
    if (item !== this.#item) {
      this.#item = item;
      this.#given = 0;
      this.#complete = false;
    }
    this.#given += samples.length;
    this.#order({ push: item, samples }, [samples.buffer]);
  }

  finish(item: string): void {
    this.#complete ||= item === this.#item;
    this.#order({ finish: item });
  }

  /** How long all of a message is, milliseconds; undefined while more may come. */
  length(item: string): number | undefined {
    return item === this.#item && this.#complete ? (this.#given * 1000) / RATE : undefined;
  }

  /** Silence at once; tells what was sounding, and how much of it had been heard. */
  flush(): { item: string; heardMs: number } | null {
    const unheard = this.sounding || this.#told.waitingMs > 0;
    const heard = { item: this.#item, heardMs: this.heard(this.#item) ?? 0 };
    this.#order({ flush: true });
    this.#told = { ...this.#told, waitingMs: 0, sounding: false };
    return unheard ? heard : null;
  }

  get sounding(): boolean {
    return this.#told.sounding;
  }

  /** Share of the time that playback stood still, 0–1. */
  get starved(): number {
    const all = this.#told.totalMs + this.#told.starvedMs;
    return all > 0 ? this.#told.starvedMs / all : 0;
  }

  /** How much of a message has been heard, milliseconds; null if it has not begun, or another one sounds. */
  heard(item: string): number | null {
    if (this.#told.item !== item) return null;
    const since = this.sounding ? Math.min(performance.now() - this.#toldAt, this.#told.waitingMs) : 0;
    const latency = this.sounding ? (this.#context.outputLatency || 0) * 1000 : 0;
    return Math.max(0, this.#told.playedMs + since - latency);
  }

  close(): void {
    this.#node.disconnect();
    this.#node.port.close();
  }

  #order(order: Order, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(order, transfer);
  }
}
