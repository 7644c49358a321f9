/** The one button: starts the conversation, and where a key is to be held, is that key; so is the space bar. */

import { useLayoutEffect } from "preact/hooks";

import type { Room } from "../talk/room.ts";
import { Icon } from "./Icon.tsx";

export function TalkButton({ room }: { room: Room }) {
  const { call } = room;
  const live = call.state.value.name === "live";
  const push = room.choices.value.pushToTalk;
  // At once, not after the next paint: who sees that it is live may press the key in the same moment.
  useLayoutEffect(() => {
    if (!push || !live) return;
    const down = (event: KeyboardEvent) => {
      if (event.code !== "Space" || busy(event.target)) return;
      event.preventDefault();
      if (!event.repeat) call.hold(true);
    };
    const up = (event: KeyboardEvent) => {
      if (event.code === "Space") call.hold(false);
    };
    // Whoever leaves the window with the key down lets go of it elsewhere.
    const away = () => call.hold(false);
    addEventListener("keydown", down);
    addEventListener("keyup", up);
    addEventListener("blur", away);
    return () => {
      removeEventListener("keydown", down);
      removeEventListener("keyup", up);
      removeEventListener("blur", away);
    };
  }, [push, live]);

  const idle = call.state.value.name === "idle";
  if (push && live) {
    return (
      <button
        type="button"
        class="talk"
        data-talk
        aria-pressed={call.holding.value}
        aria-label="Hold to talk"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          call.hold(true);
        }}
        onPointerUp={() => call.hold(false)}
        onPointerCancel={() => call.hold(false)}
        onContextMenu={(event) => event.preventDefault()}
      >
        <Icon name="mic" />
        <span>{call.holding.value ? "Let go to send" : "Hold"}</span>
      </button>
    );
  }
  return (
    <button type="button" class={`talk ${idle ? "" : "talk-end"}`} data-talk onClick={() => (idle ? void call.start() : call.stop())}>
      <Icon name={idle ? "mic" : "stop"} />
      <span>{idle ? "Talk" : "End"}</span>
    </button>
  );
}

/** Whether the key means something to what has the focus. The button itself takes it as everybody else. */
function busy(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog")) return true;
  return target.matches("input, select, textarea, button:not([data-talk]), a, [contenteditable]");
}
