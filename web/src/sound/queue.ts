/**
 * What is still to be played, and how far the listener is.
 *
 * Runs in the audio thread. Sound comes faster than it is played, so the queue is bounded by what a reply may last; a gap in
 * what comes is waited for with a little in hand, so that it does not crackle.
 */

export interface Position {
  /** The message that sounds, or sounded last. */
  item: string;
  /** How much of it has left the queue, milliseconds. */
  playedMs: number;
  /** How much is waiting, of this and later messages, milliseconds. */
  waitingMs: number;
  /** Whether sound is leaving. */
  sounding: boolean;
  /** All that was played, and of that time how much stood still because nothing had come, milliseconds. */
  totalMs: number;
  starvedMs: number;
}

interface Piece {
  item: string;
  samples: Int16Array;
  at: number;
}

export class PlayQueue {
  readonly #rate: number;
  #pieces: Piece[] = [];
  #waiting = 0;
  #item = "";
  #played = 0;
  #total = 0;
  #starved = 0;
  /** Messages of which nothing more will come. */
  #complete = new Set<string>();
  #flowing = false;

  constructor(rate: number) {
    this.#rate = rate;
  }

  push(item: string, samples: Int16Array): void {
    if (this.#waiting + samples.length > LONGEST_SECONDS * this.#rate) return;
    this.#pieces.push({ item, samples, at: 0 });
    this.#waiting += samples.length;
  }

  /** Nothing more comes of this message, so what is there need not wait for company. */
  finish(item: string): void {
    this.#complete.add(item);
  }

  /** Silence at once. What had been played stays known. */
  flush(): void {
    this.#pieces = [];
    this.#waiting = 0;
    this.#flowing = false;
    this.#complete.add(this.#item);
  }

  /** Fills a block with what comes next; silence where there is nothing. */
  render(out: Float32Array): void {
    let filled = 0;
    while (filled < out.length && this.#ready()) {
      const piece = this.#pieces[0] as Piece;
      if (piece.item !== this.#item) {
        this.#complete.delete(this.#item);
        this.#item = piece.item;
        this.#played = 0;
      }
      const count = Math.min(out.length - filled, piece.samples.length - piece.at);
      for (let index = 0; index < count; index++) {
        out[filled + index] = (piece.samples[piece.at + index] as number) / 32768;
      }
      piece.at += count;
      filled += count;
      this.#played += count;
      this.#total += count;
      this.#waiting -= count;
      if (piece.at === piece.samples.length) this.#pieces.shift();
    }
    out.fill(0, filled);
    const unfinished = this.#played > 0 && !this.#complete.has(this.#item);
    if (filled < out.length && unfinished) this.#starved += out.length - filled;
  }

  position(): Position {
    const ms = (samples: number) => (samples * 1000) / this.#rate;
    return {
      item: this.#item,
      playedMs: ms(this.#played),
      waitingMs: ms(this.#waiting),
      sounding: this.#flowing,
      totalMs: ms(this.#total),
      starvedMs: ms(this.#starved),
    };
  }

  /** Whether the next piece may sound: once begun until it runs dry, else with enough in hand. */
  #ready(): boolean {
    const next = this.#pieces[0];
    if (!next) {
      this.#flowing = false;
      return false;
    }
    const enough = this.#waiting >= (IN_HAND_MS * this.#rate) / 1000 || this.#complete.has(next.item);
    this.#flowing ||= enough;
    return this.#flowing;
  }
}

/** Rides out the usual jitter of a home network; too short to be noticed. */
const IN_HAND_MS = 60;
/** Longer than any reply a person would listen to. */
const LONGEST_SECONDS = 600;
