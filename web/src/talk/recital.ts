/** Follows the sound of a reply: which words have been said, and when it begins and ends to be heard. */

import type { Line } from "../relay/line.ts";
import type { Move } from "./floor.ts";
import { Pace, spoken } from "./script.ts";
import type { Entry, Happening } from "./transcript.ts";

export interface Audience {
  entries(): readonly Entry[];
  tell(event: Happening): void;
  move(event: Move): void;
}

export class Recital {
  readonly #audience: Audience;
  readonly #pace = new Pace();
  #line: Line | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #sounding = false;
  /** A response is being made; more may come. */
  responding = false;

  constructor(audience: Audience) {
    this.#audience = audience;
  }

  follow(line: Line): void {
    this.leave();
    this.#line = line;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  leave(): void {
    clearInterval(this.#timer);
    this.#line = null;
    this.#sounding = false;
    this.responding = false;
  }

  /** Whether the relay says something, or is about to. */
  get busy(): boolean {
    return this.responding || (this.#line?.sounding ?? false);
  }

  /** What was not said by now will not be. */
  cutShort(): void {
    this.#reveal();
    for (const { id } of this.#unsaid()) this.#audience.tell({ type: "page.cut", id });
  }

  /** The response is complete. What came without sound is not waited for. */
  ended(): void {
    this.responding = false;
    for (const { id, said } of this.#unsaid()) {
      const silent = this.#line?.heard(id) === null && this.#line.length(id) === undefined && !this.#line.sounding;
      if (silent && said === 0) this.#whole(id);
    }
  }

  #look(): void {
    this.#reveal();
    const sounding = this.#line?.sounding ?? false;
    const began = sounding && !this.#sounding;
    // A pause between sentences that are still being made is not the end.
    const over = !sounding && this.#sounding && !this.responding;
    if (began || over) this.#audience.move({ type: "page.playback", sounding });
    if (sounding || over) this.#sounding = sounding;
  }

  #reveal(): void {
    const line = this.#line;
    if (!line) return;
    for (const { id, text, said } of this.#unsaid()) {
      const ms = line.heard(id);
      const length = line.length(id);
      if (!this.busy && (ms !== null || said > 0)) {
        if (length !== undefined) this.#pace.learn(text, length);
        this.#whole(id);
      } else if (ms !== null) {
        const characters = spoken(text, ms, this.#pace, length);
        if (characters > said) this.#audience.tell({ type: "page.said", id, characters, whole: false });
      }
    }
  }

  #whole(id: string): void {
    this.#audience.tell({ type: "page.said", id, characters: 0, whole: true });
  }

  #unsaid(): readonly Entry[] {
    return this.#audience.entries().filter((entry) => entry.who === "relay" && entry.state === "live" && entry.own);
  }
}

/** Quicker than words follow each other. */
const LOOK_MS = 50;
