/** Files on their way, one after the other, each until it arrived, was given up or was refused. */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

import { Refused } from "../relay/access.ts";
import { size } from "./size.ts";

export interface Upload {
  id: number;
  name: string;
  /** How much of it has left, 0 to 1; null: it waits for those before it. */
  share: number | null;
  /** Why it was not taken. */
  failure: string | null;
}

/** Sends one file. */
export type Send = (file: File, progress: (share: number) => void, signal: AbortSignal) => Promise<void>;

export class Uploads {
  readonly list: Signal<readonly Upload[]> = signal<readonly Upload[]>([]);
  /** Bytes of the largest file that the relay takes; null: not known yet. */
  readonly most: ReadonlySignal<number | null>;
  onrefused: () => void = () => {};
  readonly #given = new Map<number, AbortController>();
  #next = 0;
  #before: Promise<void> = Promise.resolve();

  constructor(most: ReadonlySignal<number | null>) {
    this.most = most;
  }

  /** Why a file need not be sent. */
  refusal(file: File): string | null {
    const most = this.most.value ?? Infinity;
    if (file.size === 0) return "There is nothing in this file.";
    return file.size > most ? `It is too large: it has ${size(file.size)}, and ${size(most)} is the most that is taken.` : null;
  }

  /** Sends files; done once each of them has ended one way or the other. */
  add(files: Iterable<File>, send: Send): Promise<void> {
    for (const file of files) {
      const upload: Upload = { id: (this.#next += 1), name: file.name, share: null, failure: null };
      const controller = new AbortController();
      this.#given.set(upload.id, controller);
      this.list.value = [...this.list.value, upload];
      this.#before = this.#before.then(() => this.#send(upload.id, file, send, controller.signal));
    }
    return this.#before;
  }

  /** Gives one up, or forgets that it was refused. */
  drop(id: number): void {
    this.#given.get(id)?.abort();
    this.#forget(id);
  }

  async #send(id: number, file: File, send: Send, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#change(id, { share: 0 });
    try {
      const refusal = this.refusal(file);
      if (refusal) throw new Error(refusal);
      await send(file, (share) => this.#change(id, { share }), signal);
      this.#forget(id);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused) this.onrefused();
      this.#change(id, { failure: error instanceof Error ? error.message : "It could not be sent." });
    }
  }

  #change(id: number, to: Partial<Upload>): void {
    this.list.value = this.list.value.map((upload) => (upload.id === id ? { ...upload, ...to } : upload));
  }

  #forget(id: number): void {
    this.#given.delete(id);
    this.list.value = this.list.value.filter((upload) => upload.id !== id);
  }
}
