/** What the person is told of something that did not work. */

import { signal } from "@preact/signals";

import { Failed, Refused } from "../relay/access.ts";

export class Told {
  /** In their words; "" while all is well. */
  readonly trouble = signal("");
  onrefused: () => void = () => {};

  /** Does something; undefined where it did not work, which is told. */
  async attempt<T>(doing: () => Promise<T>): Promise<T | undefined> {
    try {
      const done = await doing();
      this.trouble.value = "";
      return done;
    } catch (error) {
      if (error instanceof Refused) this.onrefused();
      else this.trouble.value = words(error);
      return undefined;
    }
  }
}

function words(error: unknown): string {
  if (error instanceof Failed && error.status === 403 && /scope/i.test(error.message)) return "This key is for talking alone: it opens no conversations and no documents.";
  return error instanceof Error ? error.message : "That did not work.";
}
