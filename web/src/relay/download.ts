/** Files from the relay. They are asked for with the key, so no plain link can fetch them. */

import type { Access } from "./access.ts";

/** Has the browser save what is at `path`, under the name that the relay gives it. */
export async function download(access: Access, path: string): Promise<void> {
  const answer = await access.fetch(path, { method: "GET" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = named(answer.headers.get("content-disposition") ?? "");
  link.click();
  // Not before the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/** The name in a `content-disposition` (RFC 6266), in full where it is there in full. */
export function named(disposition: string): string {
  const full = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
  if (full) {
    try {
      return decodeURIComponent(full);
    } catch {
      // Then the plain one.
    }
  }
  return /filename="([^"]*)"/i.exec(disposition)?.[1] ?? "download";
}

const KEPT_MS = 60_000;
