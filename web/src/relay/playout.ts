import type { ServerEvent } from "./events.ts";

/** Where the listener is, told by the relay's `output_audio_buffer` events. */
export class Playout {
  #item = "";
  #response = "";
  /** When it began to sound; null while it does not. */
  #began: number | null = null;
  /** How long it sounded, once it has ended. */
  #lasted: number | null = null;

  take(event: ServerEvent, now: number): void {
    if (event.type === "response.output_item.added" && event.item.type === "message") {
      // Of a reply with several messages, the next one sounds from here on, as near as can be told.
      if (this.#response === event.response_id && this.#began !== null) this.#began = now;
      this.#item = event.item.id;
      this.#lasted = null;
    } else if (event.type === "output_audio_buffer.started") {
      this.#response = event.response_id;
      this.#began = now;
    } else if (event.type === "output_audio_buffer.stopped" || event.type === "output_audio_buffer.cleared") {
      this.#lasted = this.#began === null ? this.#lasted : now - this.#began;
      this.#began = null;
    }
  }

  get sounding(): boolean {
    return this.#began !== null;
  }

  heard(item: string, now: number): number | null {
    if (item !== this.#item) return null;
    return this.#began === null ? this.#lasted : now - this.#began;
  }
}
