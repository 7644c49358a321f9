/** Lists come in pages. */

import type { Access } from "./access.ts";

export interface Page<T> {
  items: T[];
  /** Where the next page begins; null: there is none. */
  next: string | null;
}

/** One page of the list at `path`, which may have a query. */
export function page<T>(access: Access, path: string, after: string | null, limit: number): Promise<Page<T>> {
  const [name, query = ""] = path.split("?");
  const asked = new URLSearchParams(query);
  asked.set("limit", String(limit));
  if (after) asked.set("after", after);
  return access.get<Page<T>>(`${name}?${asked}`);
}

/** All of a list, or its first twenty pages of a hundred. */
export async function every<T>(access: Access, path: string): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  for (let read = 0; read < PAGES; read += 1) {
    const { items: more, next }: Page<T> = await page<T>(access, path, after, 100);
    items.push(...more);
    after = next;
    if (!after) break;
  }
  return items;
}

const PAGES = 20;
