/** Folders: one of them is chosen, and what is done is done to that one. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import type { Folder } from "../relay/conversations.ts";
import { type Conversations, flat, places } from "../shelf/conversations.ts";
import { Icon } from "./Icon.tsx";
import { SaveOrNot } from "./SaveOrNot.tsx";
import { Sure } from "./Sure.tsx";

export function Folders({ conversations }: { conversations: Conversations }) {
  const folders = flat(conversations.folders.value);
  const chosen = folders.find(({ folder }) => folder.id === conversations.folder.value)?.folder;
  const [doing, ask] = useState<"none" | "new" | "rename" | "move">("none");
  const choose = (id: string | null) => {
    // Who was about to change one folder does not mean another.
    if (doing !== "new") ask("none");
    conversations.choose(id);
  };
  const row = (id: string | null, label: string, depth: number) => (
    <li key={id ?? "all"}>
      <button type="button" class="folder" style={{ paddingInlineStart: `${0.6 + depth}rem` }} aria-pressed={conversations.folder.value === id} onClick={() => choose(id)}>
        <Icon name="folder" />
        <span class="clipped">{label}</span>
      </button>
    </li>
  );
  return (
    <section class="folders" aria-label="Folders">
      {folders.length > 0 && (
        <ul>
          {row(null, "All conversations", 0)}
          {folders.map(({ folder, depth }) => row(folder.id, folder.name, depth))}
        </ul>
      )}
      {doing === "none" || (doing !== "new" && !chosen) ? (
        <p class="acts">
          <button type="button" class="text" onClick={() => ask("new")}>
            New folder
          </button>
          {chosen && (
            <>
              <button type="button" class="text" onClick={() => ask("rename")}>
                Rename folder
              </button>
              <button type="button" class="text" onClick={() => ask("move")}>
                Move folder
              </button>
              <Sure label="Delete folder" question="Delete the folder, keep what is in it?" onSure={() => void conversations.dissolve(chosen.id)} />
            </>
          )}
        </p>
      ) : doing === "move" && chosen ? (
        <Moving conversations={conversations} folder={chosen} onDone={() => ask("none")} />
      ) : (
        <Naming
          label={doing === "new" ? (chosen ? `A folder in “${chosen.name}”` : "Name of the folder") : "New name"}
          usual={doing === "rename" ? (chosen?.name ?? "") : ""}
          onDone={() => ask("none")}
          onName={(given) => (doing === "rename" && chosen ? conversations.rename(chosen.id, given) : conversations.make(given))}
        />
      )}
    </section>
  );
}

function Naming({ label, usual, onName, onDone }: { label: string; usual: string; onName: (name: string) => Promise<boolean>; onDone: () => void }) {
  const [name, set] = useState(usual);
  return (
    <Ask unready={!name.trim()} onSave={() => onName(name.trim())} onDone={onDone}>
      <label class="field">
        <span>{label}</span>
        <input maxLength={100} value={name} ref={focused} onInput={(event) => set(event.currentTarget.value)} />
      </label>
    </Ask>
  );
}

function Moving({ conversations, folder, onDone }: { conversations: Conversations; folder: Folder; onDone: () => void }) {
  const [into, choose] = useState(folder.parent_folder_id ?? "");
  return (
    <Ask onSave={() => conversations.move(folder.id, into || null)} onDone={onDone}>
      <label class="field">
        <span>Move “{folder.name}” into</span>
        <select value={into} ref={focused} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">The top</option>
          <FolderOptions folders={places(conversations.folders.value, folder.id)} />
        </select>
      </label>
    </Ask>
  );
}

/** A small form in the place of the buttons that it came by; Escape gives it up. */
function Ask({ unready = false, onSave, onDone, children }: { unready?: boolean; onSave: () => Promise<boolean>; onDone: () => void; children: ComponentChildren }) {
  return (
    <form
      class="naming"
      onSubmit={(event) => {
        event.preventDefault();
        if (!unready) void onSave().then((done) => done && onDone());
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onDone();
      }}
    >
      {children}
      <SaveOrNot unready={unready} onDone={onDone} />
    </form>
  );
}

/** Folders to choose among, in the order of their tree. */
export function FolderOptions({ folders }: { folders: readonly Folder[] }) {
  return (
    <>
      {flat(folders).map(({ folder, depth }) => (
        <option key={folder.id} value={folder.id}>
          {"\u2003".repeat(depth) + folder.name}
        </option>
      ))}
    </>
  );
}

/** Whoever asked for a field wants to write in it. */
function focused(field: HTMLElement | null): void {
  if (field && document.activeElement?.tagName === "BODY") field.focus();
}
