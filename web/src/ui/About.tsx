/** The conversation that is open: its name and folder, files of it to take away, links to it, and its end. */

import { useEffect, useRef, useState } from "preact/hooks";

import type { Session } from "../relay/conversations.ts";
import { FORMATS } from "../shelf/links.ts";
import type { Room } from "../talk/room.ts";
import { titled } from "./Conversations.tsx";
import { FolderOptions } from "./Folders.tsx";
import { Icon } from "./Icon.tsx";
import { Sharing } from "./Sharing.tsx";
import { Sure } from "./Sure.tsx";

export function About({ room, open, onClose }: { room: Room; open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const session = room.thread.session.value;
  const shown = open && session !== null;
  useEffect(() => {
    if (shown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown]);
  return (
    <dialog class="settings" ref={dialog} onClose={onClose} aria-labelledby="about">
      <header>
        <h2 id="about">This conversation</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {shown && (
        <div class="about">
          <Place room={room} session={session} />
          <Away room={room} session={session} />
          <Sharing links={room.shelf.links} session={session.id} />
          <section>
            <Sure
              label="Delete the conversation"
              question="Delete it, its files and links, for good?"
              onSure={() => void room.shelf.conversations.remove(session.id).then((gone) => gone && room.call.leave(null))}
            />
          </section>
        </div>
      )}
    </dialog>
  );
}

function Place({ room, session }: { room: Room; session: Session }) {
  const { conversations } = room.shelf;
  const [title, name] = useState(titled(session));
  useEffect(() => void conversations.look(), []);
  const change = async (to: Parameters<typeof conversations.change>[1]) => {
    const changed = await conversations.change(session.id, to);
    if (changed && room.thread.id === changed.id) room.thread.session.value = changed;
  };
  return (
    <section class="fields">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (title.trim()) void change({ title: title.trim() });
        }}
      >
        <label class="field">
          <span>Title</span>
          <input maxLength={200} value={title} onInput={(event) => name(event.currentTarget.value)} onBlur={() => title.trim() && title !== session.title && void change({ title: title.trim() })} />
        </label>
      </form>
      <label class="field">
        <span>Folder</span>
        <select value={session.folder_id ?? ""} onChange={(event) => void change({ folder_id: event.currentTarget.value || null })}>
          <option value="">None</option>
          <FolderOptions folders={conversations.folders.value} />
        </select>
      </label>
      {conversations.trouble.value && (
        <p class="wrong" role="alert">
          {conversations.trouble.value}
        </p>
      )}
    </section>
  );
}

const NAMES = { markdown: "Markdown", pdf: "PDF", json: "JSON" } as const;

function Away({ room, session }: { room: Room; session: Session }) {
  const { links } = room.shelf;
  return (
    <section>
      <h3>Take it away</h3>
      <p class="acts">
        {FORMATS.map((format) => (
          <button key={format} type="button" class="pill" disabled={links.saving.value !== null} onClick={() => void links.save(session.id, format)}>
            {links.saving.value === format ? "Being made…" : NAMES[format]}
          </button>
        ))}
      </p>
    </section>
  );
}
