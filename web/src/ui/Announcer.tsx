/** For those who hear the page: each thing once it is said, not word by word; and whatever went wrong. */

import { useRef } from "preact/hooks";

import type { Thread } from "../talk/thread.ts";

export function Announcer({ thread }: { thread: Thread }) {
  const told = useRef(new Set<string>());
  const news = thread.entries.value.filter((entry) => !entry.past && entry.state !== "live" && entry.text && !told.current.has(entry.id));
  for (const entry of news) told.current.add(entry.id);
  const last = useRef("");
  if (news.length > 0) last.current = news.map((entry) => `${entry.who === "you" ? "You" : "Relay"}: ${entry.text}`).join(" ");
  return (
    <p class="unseen" aria-live="polite" data-testid="announcer">
      {last.current}
    </p>
  );
}
