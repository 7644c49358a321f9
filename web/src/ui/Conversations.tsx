/** Conversations by folder, and by what was said in them. */

import { useEffect } from "preact/hooks";

import type { Found, Session } from "../relay/conversations.ts";
import type { Room } from "../talk/room.ts";
import { NARROW } from "./cover.ts";
import { Folders } from "./Folders.tsx";
import { SearchField } from "./SearchField.tsx";

export function Conversations({ room, onOpened }: { room: Room; onOpened: () => void }) {
  const { conversations } = room.shelf;
  const open = room.thread.session.value;
  // Also when the one that is open was titled, or the first of it was kept.
  useEffect(() => void conversations.look(), [open?.id, open?.title]);
  const list = conversations.list.value;
  const words = conversations.words.value;
  return (
    <>
      <SearchField label="Search what was said" longest={200} begun={conversations.words.value} onSearch={(words) => conversations.search(words)} onEmptied={() => conversations.search("")} />
      {conversations.trouble.value && (
        <p class="wrong" role="alert">
          {conversations.trouble.value}
        </p>
      )}
      {!words && <Folders conversations={conversations} />}
      <ul class="entries" aria-label={words ? "What was found" : "Conversations"}>
        {list?.map((session) => (
          <li key={session.id} data-testid="conversation">
            <button
              type="button"
              class="entry"
              aria-current={session.id === open?.id ? "true" : undefined}
              onClick={() => {
                room.call.leave(session, session.found?.message_id ?? null);
                if (matchMedia(NARROW).matches) onOpened();
              }}
            >
              <span class="title">{titled(session)}</span>
              <Hit found={session.found} />
              <span class="soft">{day(session.updated_at)}</span>
            </button>
          </li>
        ))}
      </ul>
      {list?.length === 0 && <p class="soft">{words ? "Nobody said that." : "Nothing here yet. What you say and write is kept here."}</p>}
      {conversations.more.value && (
        <button type="button" class="text" onClick={() => void conversations.further()}>
          Show more
        </button>
      )}
    </>
  );
}

function Hit({ found }: { found: Found | undefined }) {
  if (!found) return null;
  return (
    <span class="hit">
      {found.before}
      <mark>{found.hit}</mark>
      {found.after}
    </span>
  );
}

export const titled = ({ title }: Session): string => title ?? "Untitled";

/** The day, for people; of today the time. */
function day(time: string): string {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
}
