/** The conversations that are kept, by folder or by what was said in them. */

import { signal } from "@preact/signals";

import type { Access } from "../relay/access.ts";
import { change, type Folder, folders, makeFolder, moveFolder, remove, removeFolder, renameFolder, type Session, sessions } from "../relay/conversations.ts";
import { Told } from "./told.ts";

export class Conversations extends Told {
  /** null: not known yet. */
  readonly list = signal<readonly Session[] | null>(null);
  readonly folders = signal<readonly Folder[]>([]);
  /** The folder whose conversations are listed; null: all of them. */
  readonly folder = signal<string | null>(null);
  /** What is looked for in all of them; "": nothing is. */
  readonly words = signal("");
  readonly more = signal(false);

  readonly #access: Access;
  #next: string | null = null;
  /** Counts what was asked; what belongs to something earlier is too late. */
  #asked = 0;

  constructor(access: Access) {
    super();
    this.#access = access;
  }

  async look(): Promise<void> {
    const number = (this.#asked += 1);
    const words = this.words.value;
    const filter = words ? { words } : { folder: this.folder.value };
    const tree = this.attempt(() => folders(this.#access));
    const page = await this.attempt(() => sessions(this.#access, filter, null));
    const found = await tree;
    if (number !== this.#asked) return;
    if (found) this.folders.value = found.items;
    if (!page) return;
    this.list.value = page.items;
    this.#turn(page.next);
  }

  async further(): Promise<void> {
    const number = this.#asked;
    const words = this.words.value;
    const filter = words ? { words } : { folder: this.folder.value };
    const page = await this.attempt(() => sessions(this.#access, filter, this.#next));
    if (!page || number !== this.#asked) return;
    this.list.value = [...(this.list.value ?? []), ...page.items];
    this.#turn(page.next);
  }

  choose(folder: string | null): void {
    this.folder.value = folder;
    this.words.value = "";
    void this.look();
  }

  search(words: string): void {
    this.words.value = words.trim();
    void this.look();
  }

  /** Changes a conversation's name or folder; gives it as it is then. */
  async change(id: string, to: { title?: string; folder_id?: string | null }): Promise<Session | undefined> {
    const changed = await this.attempt(() => change(this.#access, id, to));
    if (changed) void this.look();
    return changed;
  }

  async remove(id: string): Promise<boolean> {
    const gone = await this.attempt(() => remove(this.#access, id));
    void this.look();
    return gone !== undefined;
  }

  /** Makes a folder, in the one that is chosen. */
  async make(name: string): Promise<boolean> {
    const made = await this.attempt(() => makeFolder(this.#access, name, this.folder.value));
    if (made) void this.look();
    return made !== undefined;
  }

  async rename(folder: string, name: string): Promise<boolean> {
    const renamed = await this.attempt(() => renameFolder(this.#access, folder, name));
    if (renamed) void this.look();
    return renamed !== undefined;
  }

  /** Moves a folder with all that is in it; into `null`: to the top. */
  async move(folder: string, into: string | null): Promise<boolean> {
    const moved = await this.attempt(() => moveFolder(this.#access, folder, into));
    if (moved) void this.look();
    return moved !== undefined;
  }

  /** What is in it moves up, its conversations are in none. */
  async dissolve(folder: string): Promise<void> {
    const gone = await this.attempt(() => removeFolder(this.#access, folder));
    if (gone !== undefined) this.choose(null);
  }

  #turn(next: string | null): void {
    this.#next = next;
    this.more.value = next !== null;
  }
}

/** All folders in the order of the tree, each with how deep it is. */
export function flat(tree: readonly Folder[], depth = 0): { folder: Folder; depth: number }[] {
  return tree.flatMap((folder) => [{ folder, depth }, ...flat(folder.children, depth + 1)]);
}

/** Where this folder may go: into all but itself and what is in it. */
export function places(tree: readonly Folder[], folder: string): Folder[] {
  return tree.filter(({ id }) => id !== folder).map((other) => ({ ...other, children: places(other.children, folder) }));
}
