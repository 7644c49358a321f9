/** Folders: one of them is chosen, and what is done is done to that one. */

import { useState } from "preact/hooks";

import { type Conversations, flat } from "../shelf/conversations.ts";
import { Icon } from "./Icon.tsx";
import { SaveOrNot } from "./SaveOrNot.tsx";
import { Sure } from "./Sure.tsx";

export function Folders({ conversations }: { conversations: Conversations }) {
  const folders = flat(conversations.folders.value);
  const chosen = conversations.folder.value;
  const name = folders.find(({ folder }) => folder.id === chosen)?.folder.name;
  const [naming, ask] = useState<"none" | "new" | "rename">("none");
  const row = (id: string | null, label: string, depth: number) => (
    <li key={id ?? "all"}>
      <button type="button" class="folder" style={{ paddingInlineStart: `${0.6 + depth}rem` }} aria-pressed={chosen === id} onClick={() => conversations.choose(id)}>
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
      {naming === "none" ? (
        <p class="acts">
          <button type="button" class="text" onClick={() => ask("new")}>
            New folder
          </button>
          {chosen && (
            <>
              <button type="button" class="text" onClick={() => ask("rename")}>
                Rename folder
              </button>
              <Sure label="Delete folder" question="Delete the folder, keep what is in it?" onSure={() => void conversations.dissolve(chosen)} />
            </>
          )}
        </p>
      ) : (
        <Naming
          label={naming === "new" ? (name ? `A folder in “${name}”` : "Name of the folder") : "New name"}
          usual={naming === "rename" ? (name ?? "") : ""}
          onDone={() => ask("none")}
          onName={(given) => (naming === "rename" && chosen ? conversations.rename(chosen, given) : conversations.make(given))}
        />
      )}
    </section>
  );
}

function Naming({ label, usual, onName, onDone }: { label: string; usual: string; onName: (name: string) => Promise<boolean>; onDone: () => void }) {
  const [name, set] = useState(usual);
  return (
    <form
      class="naming"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) void onName(name.trim()).then((done) => done && onDone());
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onDone();
      }}
    >
      <label class="field">
        <span>{label}</span>
        <input maxLength={100} value={name} ref={focused} onInput={(event) => set(event.currentTarget.value)} />
      </label>
      <SaveOrNot unready={!name.trim()} onDone={onDone} />
    </form>
  );
}

/** Whoever asked for a field wants to write in it. */
function focused(input: HTMLInputElement | null): void {
  if (input && document.activeElement?.tagName === "BODY") input.focus();
}
