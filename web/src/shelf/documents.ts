/** Documents that answers are grounded in: put in, watched until they are found, looked through, taken out. */

import { type ReadonlySignal, signal } from "@preact/signals";

import { type Access, Failed } from "../relay/access.ts";
import { add, describe, type Document, documents, find, type Passage, removeDocument, saveDocument, type Source } from "../relay/documents.ts";
import { Told } from "./told.ts";
import { Uploads } from "./uploads.ts";

export class Documents extends Told {
  /** null: not known yet. */
  readonly list = signal<readonly Document[] | null>(null);
  readonly uploads: Uploads;
  /** What was looked for, and what was found; null: nothing was looked for. */
  readonly found = signal<{ query: string; passages: readonly Passage[] } | null>(null);

  readonly #access: Access;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(access: Access, most: ReadonlySignal<number | null>) {
    super();
    this.uploads = new Uploads(most);
    this.#access = access;
    this.uploads.onrefused = () => this.onrefused();
  }

  /** Reads the list, and again and again while something in it is under way. */
  async look(): Promise<void> {
    clearTimeout(this.#timer);
    const list = await this.attempt(() => documents(this.#access));
    if (list) this.list.value = list;
    clearTimeout(this.#timer);
    if (this.list.value?.some(underWay)) this.#timer = setTimeout(() => void this.look(), LOOK_AGAIN_MS);
  }

  async put(files: Iterable<File>): Promise<void> {
    await this.uploads.add(files, async (file, progress, signal) => {
      const added = await add(this.#access, file, progress, signal).catch(known);
      this.list.value = [added, ...(this.list.value ?? [])];
      void this.look();
    });
  }

  async remove(id: string): Promise<void> {
    const done = await this.attempt(() => removeDocument(this.#access, id));
    if (done === undefined) return;
    this.list.value = this.list.value?.filter((document) => document.id !== id) ?? null;
    const found = this.found.value;
    if (found) this.found.value = { ...found, passages: found.passages.filter(({ document_id }) => document_id !== id) };
  }

  save(id: string): Promise<unknown> {
    return this.attempt(() => saveDocument(this.#access, id));
  }

  /** Says more of it, for whoever reads a citation; true once it is kept. */
  async describe(id: string, source: Partial<Source>): Promise<boolean> {
    const changed = await this.attempt(() => describe(this.#access, id, source));
    if (changed) this.list.value = this.list.value?.map((document) => (document.id === id ? changed : document)) ?? null;
    return changed !== undefined;
  }

  async find(query: string): Promise<void> {
    if (!query.trim()) {
      this.found.value = null;
      return;
    }
    const passages = await this.attempt(() => find(this.#access, query.trim()));
    if (passages) this.found.value = { query: query.trim(), passages };
  }
}

/** The relay names the one that is there by its id, which says nothing to people. */
function known(error: unknown): never {
  throw error instanceof Failed && error.status === 409 && /same document/.test(error.message) ? new Error("You have this document already.") : error;
}

/** Whether more will be known of it without anybody's doing. */
export const underWay = ({ state }: Document): boolean => state === "pending" || state === "indexing";

/** How far it is, in a few words. */
export function progress(document: Document): string {
  const { state, passages, indexed, failure } = document;
  switch (state) {
    case "pending":
      return "Being read…";
    case "indexing":
      return failure ? `Waiting: ${failure}` : passages > 0 ? `Indexing, ${indexed} of ${passages} passages` : "Indexing…";
    case "ready":
      return passages === 1 ? "Ready, 1 passage" : `Ready, ${passages} passages`;
    case "failed":
      return failure ?? "It could not be read.";
  }
}

const LOOK_AGAIN_MS = 700;
