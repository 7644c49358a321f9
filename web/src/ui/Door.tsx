/** For those who come without a key. */

import { useState } from "preact/hooks";

import type { Room } from "../talk/room.ts";
import { Icon } from "./Icon.tsx";

export function Door({ room }: { room: Room }) {
  const [key, setKey] = useState("");
  const wrong = room.door.value === "wrong";
  return (
    <main class="door">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim()) void room.unlock(key);
        }}
      >
        <h1 class="brand">
          <Icon name="wave" />
          <span>voice-relay</span>
        </h1>
        <p class="lead">Come in by the link that the relay printed when it started.</p>
        <p class="soft">
          Or give a key: <code>voice-relay keys create --name me --days 1</code> makes one. It is kept until the last tab is closed.
        </p>
        <label class="field">
          <span>Key</span>
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
            aria-invalid={wrong}
            aria-describedby={wrong ? "wrong-key" : undefined}
          />
        </label>
        {wrong && (
          <p id="wrong-key" class="wrong" role="alert">
            That key is not good, or not any more.
          </p>
        )}
        <button type="submit" class="solid" disabled={!key.trim()}>
          Come in
        </button>
      </form>
    </main>
  );
}
