/** For those who come without a key: they give one, or log in. */

import { useState } from "preact/hooks";

import type { Room } from "../talk/room.ts";
import { Icon } from "./Icon.tsx";

export function Door({ room }: { room: Room }) {
  return (
    <main class="door">
      <div class="card">
        <h1 class="brand">
          <Icon name="wave" />
          <span>voice-relay</span>
        </h1>
        <p class="lead">Come in by the link that the relay printed when it started.</p>
        <Key room={room} />
        <Login room={room} />
      </div>
    </main>
  );
}

function Key({ room }: { room: Room }) {
  const [key, setKey] = useState("");
  const wrong = room.door.value === "wrong";
  return (
    <form
      class="card-part"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim()) void room.unlock(key);
      }}
    >
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
          That key or login is not good, or not any more.
        </p>
      )}
      <button type="submit" class="solid" disabled={!key.trim()}>
        Come in
      </button>
    </form>
  );
}

function Login({ room }: { room: Room }) {
  const [email, name] = useState("");
  const [password, prove] = useState("");
  const [trouble, tell] = useState("");
  return (
    <details>
      <summary>Log in with e-mail and password</summary>
      <form
        class="card-part"
        onSubmit={(event) => {
          event.preventDefault();
          if (email.trim() && password) void room.logIn(email.trim(), password).then(tell);
        }}
      >
        <label class="field">
          <span>E-mail</span>
          <input type="email" autocomplete="username" value={email} onInput={(event) => name(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>Password</span>
          <input type="password" autocomplete="current-password" value={password} onInput={(event) => prove(event.currentTarget.value)} />
        </label>
        {trouble && (
          <p class="wrong" role="alert">
            {trouble}
          </p>
        )}
        <button type="submit" class="solid" disabled={!email.trim() || !password}>
          Log in
        </button>
      </form>
    </details>
  );
}
