/** The page: a conversation, what it costs in time beside it, and the controls below. */

import { useState } from "preact/hooks";

import type { Room } from "../talk/room.ts";
import { Announcer } from "./Announcer.tsx";
import { Dock } from "./Dock.tsx";
import { Door } from "./Door.tsx";
import { Engines } from "./Engines.tsx";
import { Header } from "./Header.tsx";
import { Line } from "./Line.tsx";
import { Settings } from "./Settings.tsx";
import { Transcript } from "./Transcript.tsx";
import { Waterfall } from "./Waterfall.tsx";

export function App({ room }: { room: Room }) {
  const [settings, showSettings] = useState(false);
  if (room.door.value === "waiting") return null;
  if (room.door.value !== "open") return <Door room={room} />;
  return (
    <div class={room.call.entries.value.length > 0 ? "page" : "page page-new"}>
      <Header room={room} onSettings={() => showSettings(true)} />
      <main class="stage">
        <Transcript room={room} />
        <aside class="insight" aria-label="How it goes" tabIndex={0}>
          <Waterfall call={room.call} />
          <Line call={room.call} />
          <Engines room={room} />
        </aside>
      </main>
      <Dock room={room} />
      <Settings room={room} open={settings} onClose={() => showSettings(false)} />
      <Announcer call={room.call} />
    </div>
  );
}
