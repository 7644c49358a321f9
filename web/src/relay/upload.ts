/** Files on their way to the relay, with how much of each has left. `fetch` does not tell that, so it is done the older way. */

import type { Access } from "./access.ts";
import { refusal, Unavailable } from "./failure.ts";

/** Sends a form; `progress` is told the share that has left, 0 to 1. */
export async function upload<T>(access: Access, path: string, form: FormData, progress: (share: number) => void, signal: AbortSignal): Promise<T> {
  const headers = await access.headers();
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => lengthComputable && progress(loaded / total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as T);
      else reject(refusal(request.status, request.response));
    };
    request.onerror = () => reject(new Unavailable("The upload broke off. Try again."));
    request.onabort = () => reject(new DOMException("given up", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    if (signal.aborted) return reject(new DOMException("given up", "AbortError"));
    request.send(form);
  });
}

/** How large a file may be, in bytes. */
export const fileBytes = async (access: Access): Promise<number> => (await access.get<{ file_bytes: number }>("/api/limits")).file_bytes;

/** What the relay reads, for the browser's dialogue and for people. */
export const TAKEN = ".pdf,.txt,.md,.csv,.docx,.doc,.pptx,.xlsx,.odt,.png,.jpg,.jpeg,.gif,.webp";
