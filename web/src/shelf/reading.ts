/** A passage that is read in its source: what the answer rests on, and what stands around it there. */

import { signal } from "@preact/signals";

import { type Access, Failed } from "../relay/access.ts";
import type { Citation } from "../relay/events.ts";
import { document as record, saveDocument, text } from "../relay/documents.ts";
import { type Place, place } from "./place.ts";
import { Told } from "./told.ts";

/** What is read: of a citation, or of a passage that was found. */
export type Subject = Omit<Citation, "index"> & { index?: number; heading?: string | null; page?: number | null };

export interface Open {
  subject: Subject;
  /** `around`: it stands in its document; `alone`: only what is kept with the answer; `gone`: the document was deleted. */
  state: "looking" | "around" | "alone" | "gone";
  place: Place;
  /** Its document came as a file, which can be saved. */
  file: boolean;
}

export class Reading extends Told {
  readonly open = signal<Open | null>(null);
  readonly #access: Access;
  /** What had the focus before. */
  #from: HTMLElement | null = null;

  constructor(access: Access) {
    super();
    this.#access = access;
  }

  async show(subject: Subject): Promise<void> {
    if (document.activeElement instanceof HTMLElement) this.#from = document.activeElement;
    const passage = subject.context ?? subject.quoted_text ?? "";
    const alone = place(passage, passage, subject.quoted_text ?? "");
    const opened: Open = { subject, state: subject.source_id ? "looking" : "alone", place: alone, file: false };
    this.trouble.value = "";
    this.open.value = opened;
    if (!subject.source_id) return;
    const settled = await this.#look(subject.source_id, opened, passage);
    // Another one may have been opened meanwhile.
    if (this.open.value === opened) this.open.value = settled;
  }

  close(): void {
    this.open.value = null;
    if (this.#from?.isConnected) this.#from.focus();
  }

  async save(): Promise<void> {
    const id = this.open.value?.subject.source_id;
    if (id) await this.attempt(() => saveDocument(this.#access, id));
  }

  async #look(id: string, opened: Open, passage: string): Promise<Open> {
    try {
      const [{ text: whole }, { name }] = await Promise.all([text(this.#access, id), record(this.#access, id)]);
      const file = name !== null;
      if (!whole?.includes(passage)) return { ...opened, state: "alone", file };
      return { ...opened, state: "around", file, place: place(whole, passage, opened.subject.quoted_text ?? "") };
    } catch (error) {
      return { ...opened, state: error instanceof Failed && error.status === 404 ? "gone" : "alone" };
    }
  }
}
