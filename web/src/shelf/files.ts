/** Files of the conversation that is open: each batch comes with a message of its own, so that it stands where it was given. */

import type { ReadonlySignal } from "@preact/signals";

import type { Access } from "../relay/access.ts";
import type { Attachment, Message } from "../relay/conversations.ts";
import { download } from "../relay/download.ts";
import { upload } from "../relay/upload.ts";
import type { Thread } from "../talk/thread.ts";
import { Told } from "./told.ts";
import { Uploads } from "./uploads.ts";

export class Files extends Told {
  readonly uploads: Uploads;
  readonly #access: Access;
  readonly #thread: Thread;

  constructor(access: Access, thread: Thread, most: ReadonlySignal<number | null>) {
    super();
    this.uploads = new Uploads(most);
    this.#access = access;
    this.#thread = thread;
    this.uploads.onrefused = () => this.onrefused();
  }

  async attach(files: readonly File[]): Promise<void> {
    const sent = files.filter((file) => this.uploads.refusal(file) === null);
    // Why the others are not is told among the uploads.
    if (sent.length === 0) return this.uploads.add(files, async () => {});
    const session = await this.#thread.kept();
    if (!session) return;
    const content = sent.map(({ name }) => name).join(", ");
    const message = await this.attempt(() => this.#access.ask<Message>("POST", `/api/sessions/${session}/messages`, { role: "user", content }));
    if (!message) return;
    let arrived = 0;
    await this.uploads.add(files, async (file, progress, signal) => {
      const form = new FormData();
      form.set("file", file);
      await upload<Attachment>(this.#access, `/api/messages/${message.id}/attachments`, form, progress, signal);
      arrived += 1;
      await this.#watch(message.id);
    });
    if (arrived > 0) return;
    // Nobody should read that files came.
    await this.attempt(() => this.#access.ask("DELETE", `/api/messages/${message.id}`));
    this.#thread.forget(message.id);
  }

  download(file: Attachment): Promise<unknown> {
    return this.attempt(() => download(this.#access, `/api/attachments/${file.id}/download`));
  }

  /** What a picture looks like, small; null where that is not known. */
  async preview({ id, state, media_type }: Attachment): Promise<ImageBitmap | null> {
    if (state !== "ready" || !media_type.startsWith("image/")) return null;
    try {
      const answer = await this.#access.fetch(`/api/attachments/${id}/thumbnail`, { method: "GET" });
      return await createImageBitmap(await answer.blob());
    } catch {
      // Its name does as well.
      return null;
    }
  }

  async remove(message: string, file: Attachment): Promise<void> {
    await this.attempt(() => this.#access.ask("DELETE", `/api/attachments/${file.id}`));
    await this.#thread.look(message);
  }

  /** Looks at a message's files until each was read, in the background. */
  async #watch(message: string): Promise<void> {
    await this.#thread.look(message);
    const pending = this.#thread.entries.value.find((entry) => entry.message === message)?.files?.some(({ state }) => state === "pending");
    if (pending) setTimeout(() => void this.#watch(message), LOOK_AGAIN_MS);
  }
}

const LOOK_AGAIN_MS = 700;
