/** The controls: talk, mute, type; above them who has the turn, and what is heard. */

import type { Call } from "../talk/call.ts";
import type { Room } from "../talk/room.ts";
import { Composer } from "./Composer.tsx";
import { Icon } from "./Icon.tsx";
import { Meter } from "./Meter.tsx";
import { TalkButton } from "./TalkButton.tsx";

export function Dock({ room }: { room: Room }) {
  const { call, thread } = room;
  const notice = call.notice.value;
  const { name } = call.state.value;
  const live = name === "live";
  const idle = name === "idle";
  const push = room.choices.value.pushToTalk;
  return (
    <footer class={`dock dock-${call.floor.value}`}>
      {notice && (
        <div class={`notice notice-${notice.tone}`} role={notice.tone === "wrong" ? "alert" : "status"} data-testid="notice">
          <span>{notice.text}</span>
          {!call.hearing.value && live && (
            <button type="button" class="text" onClick={() => void call.changeMicrophone()}>
              Try the microphone again
            </button>
          )}
          {notice.again && (
            <button
              type="button"
              class="text"
              onClick={() => {
                call.notice.value = null;
                notice.again?.();
              }}
            >
              Try again
            </button>
          )}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => (call.notice.value = null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {idle && thread.writing.value && (
        <p class="floor" role="status" data-testid="writing">
          Writing an answer…{" "}
          <button type="button" class="text" onClick={() => thread.stop()}>
            Stop
          </button>
        </p>
      )}
      {!idle && (
        <>
          <p class="floor" data-testid="floor" data-floor={live ? call.floor.value : "none"}>
            {words(call, push)}
          </p>
          <Meter call={call} />
        </>
      )}
      <div class="controls">
        <TalkButton room={room} />
        {live && !push && (
          <button
            type="button"
            class="round"
            aria-pressed={call.muted.value}
            aria-label="Mute the microphone"
            disabled={!call.hearing.value}
            onClick={() => call.mute(!call.muted.value)}
          >
            <Icon name={call.muted.value ? "muted" : "mic"} />
          </button>
        )}
        {live && push && (
          <button type="button" class="round" aria-label="End the conversation" onClick={() => call.stop()}>
            <Icon name="stop" />
          </button>
        )}
        <Composer room={room} />
      </div>
    </footer>
  );
}

function words(call: Call, push: boolean): string {
  switch (call.state.value.name) {
    case "idle":
      return "";
    case "connecting":
      return "Connecting…";
    case "reconnecting":
      return "Reconnecting…";
    case "live":
  }
  switch (call.floor.value) {
    case "you":
      return "You are speaking";
    case "thinking":
      return "Thinking…";
    case "relay":
      return push ? "The relay is speaking" : "The relay is speaking. Talk to interrupt it.";
    case "open":
  }
  if (!call.hearing.value) return "Type, and it is answered aloud.";
  if (push) return "Hold the button, or the space bar, and speak.";
  return call.muted.value ? "You are muted" : "Listening";
}
