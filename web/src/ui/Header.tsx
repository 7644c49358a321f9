import type { ComponentChildren } from "preact";

import type { Room } from "../talk/room.ts";
import type { State } from "../talk/connection.ts";
import { Icon } from "./Icon.tsx";

interface Props {
  room: Room;
  library: boolean;
  onLibrary: () => void;
  onAbout: () => void;
  onSettings: () => void;
}

export function Header({ room, library, onLibrary, onAbout, onSettings }: Props) {
  const state = room.call.state.value;
  const talked = room.thread.entries.value.length > 0;
  const kept = room.thread.session.value;
  return (
    <header class="head">
      <button type="button" class="quiet" data-library onClick={onLibrary} aria-expanded={library}>
        <Icon name="library" />
        <span class="wide">Library</span>
      </button>
      <h1 class="brand">
        <Icon name="wave" />
        <span>voice-relay</span>
      </h1>
      <p class={`chip chip-${state.name}`} role="status" data-testid="state">
        <span class="dot" aria-hidden="true" />
        {words(state)}
      </p>
      <div class="head-actions">
        {kept && (
          <button type="button" class="quiet" onClick={onAbout} aria-haspopup="dialog">
            <Icon name="about" />
            <span class="wide">About it</span>
          </button>
        )}
        {(talked || kept) && (
          <button type="button" class="quiet" onClick={() => room.call.leave(null)}>
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
