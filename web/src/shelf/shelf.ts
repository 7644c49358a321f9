/** What is kept: conversations, the documents that answers rest on, and what belongs to the conversation that is open. */

import { signal } from "@preact/signals";

import type { Access } from "../relay/access.ts";
import { fileBytes } from "../relay/upload.ts";
import type { Thread } from "../talk/thread.ts";
import { Conversations } from "./conversations.ts";
import { Documents } from "./documents.ts";
import { Files } from "./files.ts";
import { Links } from "./links.ts";
import { Reading } from "./reading.ts";

export class Shelf {
  /** What the drawer shows when it is open. */
  readonly shown = signal<"conversations" | "documents">("conversations");
  readonly conversations: Conversations;
  readonly documents: Documents;
  readonly reading: Reading;
  readonly files: Files;
  readonly links: Links;
  /** Bytes of the largest file that the relay takes; null: not known yet. */
  readonly most = signal<number | null>(null);
  readonly #access: Access;

  constructor(access: Access, thread: Thread) {
    this.#access = access;
    this.conversations = new Conversations(access);
    this.documents = new Documents(access, this.most);
    this.reading = new Reading(access);
    this.files = new Files(access, thread, this.most);
    this.links = new Links(access);
  }

  /** Asks how large files may be, until that is known. */
  async measure(): Promise<void> {
    this.most.value ??= await fileBytes(this.#access).catch(() => null);
  }

  /** Whose it was is gone. */
  forget(): void {
    this.conversations.list.value = null;
    this.conversations.folders.value = [];
    this.conversations.words.value = "";
    this.documents.list.value = null;
    this.documents.found.value = null;
    this.reading.open.value = null;
  }

  /** The pass is not good any more. */
  onrefused(leave: () => void): void {
    for (const told of [this.conversations, this.documents, this.reading, this.files, this.links]) told.onrefused = leave;
  }
}
