/** Links to the conversation that is open, and files of it. */

import { signal } from "@preact/signals";

import type { Access } from "../relay/access.ts";
import { download } from "../relay/download.ts";
import { type Made, revoke, type Share, share, shares } from "../relay/shares.ts";
import { Told } from "./told.ts";

export const FORMATS = ["markdown", "pdf", "json"] as const;

export class Links extends Told {
  readonly list = signal<readonly Share[]>([]);
  /** The link that was made last: its address cannot be had again. */
  readonly made = signal<Made | null>(null);
  /** The format that is being made. */
  readonly saving = signal<(typeof FORMATS)[number] | null>(null);
  readonly #access: Access;

  constructor(access: Access) {
    super();
    this.#access = access;
  }

  async look(session: string): Promise<void> {
    const list = await this.attempt(() => shares(this.#access, session));
    if (list) this.list.value = list;
  }

  async make(session: string, hours: number, password: string): Promise<void> {
    const made = await this.attempt(() => share(this.#access, session, hours, password));
    if (!made) return;
    this.made.value = made;
    await this.look(session);
  }

  async revoke(session: string, id: string): Promise<void> {
    await this.attempt(() => revoke(this.#access, session, id));
    if (this.made.value?.share_id === id) this.made.value = null;
    await this.look(session);
  }

  async save(session: string, format: (typeof FORMATS)[number]): Promise<void> {
    this.saving.value = format;
    await this.attempt(() => download(this.#access, `/api/sessions/${session}/export/${format}`));
    this.saving.value = null;
  }
}
