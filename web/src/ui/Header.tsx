import type { ComponentChildren } from "preact";

import type { Room } from "../talk/room.ts";
import type { State } from "../talk/connection.ts";
import { Icon } from "./Icon.tsx";

export function Header({ room, onSettings }: { room: Room; onSettings: () => void }) {
  const state = room.call.state.value;
  const talked = room.call.entries.value.length > 0;
  return (
    <header class="head">
      <h1 class="brand">
        <Icon name="wave" />
        <span>voice-relay</span>
      </h1>
      <p class={`chip chip-${state.name}`} role="status" data-testid="state">
        <span class="dot" aria-hidden="true" />
        {words(state)}
      </p>
      <div class="head-actions">
        {talked && (
          <button type="button" class="quiet" onClick={() => room.call.clear()}>
            <Icon name="new" />
            <span class="wide">New conversation</span>
          </button>
        )}
        <button type="button" class="quiet" onClick={onSettings} aria-haspopup="dialog">
          <Icon name="settings" />
          <span class="wide">Settings</span>
        </button>
      </div>
    </header>
  );
}

function words(state: State): ComponentChildren {
  switch (state.name) {
    case "idle":
      return "Ready";
    case "connecting":
      return "Connecting…";
    case "live":
      return (
        <>
          Live<span class="wide">· {state.kind === "webrtc" ? "WebRTC" : "WebSocket"}</span>
        </>
      );
    case "reconnecting":
      return "Reconnecting…";
  }
}
