/** What is kept, in a drawer beside the conversation: conversations, and documents. */

import { useEffect, useRef } from "preact/hooks";

import type { Room } from "../talk/room.ts";
import { Conversations } from "./Conversations.tsx";
import { gives, NARROW } from "./cover.ts";
import { Documents } from "./Documents.tsx";
import { Icon } from "./Icon.tsx";

const TABS = [
  ["conversations", "Conversations"],
  ["documents", "Documents"],
] as const;

export function Library({ room, onClose }: { room: Room; onClose: () => void }) {
  const tab = room.shelf.shown.value;
  const show = (tab: (typeof TABS)[number][0]) => (room.shelf.shown.value = tab);
  const tabs = useRef<HTMLDivElement>(null);
  const selected = () => tabs.current?.querySelector<HTMLElement>("[aria-selected=true]");
  useEffect(() => selected()?.focus(), []);
  const close = () => {
    onClose();
    document.querySelector<HTMLElement>("[data-library]")?.focus();
  };
  const other = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    show(tab === "documents" ? "conversations" : "documents");
    requestAnimationFrame(() => selected()?.focus());
  };
  return (
    <aside class="library" aria-label="Library" onKeyDown={(event) => event.key === "Escape" && close()} onFocusOut={gives(NARROW, onClose)}>
      <header>
        <div class="tabs" role="tablist" aria-label="Library" ref={tabs} onKeyDown={other}>
          {TABS.map(([name, label]) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={tab === name}
              aria-controls="library-panel"
              tabIndex={tab === name ? 0 : -1}
              onClick={() => show(name)}
            >
              {label}
            </button>
          ))}
        </div>
        <button type="button" class="quiet" aria-label="Put the library away" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="shelf" role="tabpanel" id="library-panel" aria-labelledby={`tab-${tab}`}>
        {tab === "documents" ? <Documents documents={room.shelf.documents} reading={room.shelf.reading} /> : <Conversations room={room} onOpened={close} />}
      </div>
    </aside>
  );
}
