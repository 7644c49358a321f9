/** The page: a conversation, what it costs in time beside it, and the controls below; what is kept is a drawer away. */

import { useState } from "preact/hooks";

import type { Room } from "../talk/room.ts";
import { About } from "./About.tsx";
import { Announcer } from "./Announcer.tsx";
import { Dock } from "./Dock.tsx";
import { Door } from "./Door.tsx";
import { Engines } from "./Engines.tsx";
import { Header } from "./Header.tsx";
import { Library } from "./Library.tsx";
import { Line } from "./Line.tsx";
import { Reader } from "./Reader.tsx";
import { Settings } from "./Settings.tsx";
import { Transcript } from "./Transcript.tsx";
import { Waterfall } from "./Waterfall.tsx";

export function App({ room }: { room: Room }) {
  const [dialogue, show] = useState<"none" | "settings" | "about">("none");
  const [library, showLibrary] = useState(false);
  if (room.door.value === "waiting") return null;
  if (room.door.value !== "open") return <Door room={room} />;
  const reading = room.shelf.reading.open.value;
  const stage = ["stage", library ? "stage-library" : "", reading ? "stage-reading" : ""].join(" ").trim();
  return (
    <div class={room.thread.entries.value.length > 0 ? "page" : "page page-new"}>
      <Header room={room} library={library} onLibrary={() => showLibrary(!library)} onAbout={() => show("about")} onSettings={() => show("settings")} />
      <main class={stage}>
        {library && <Library room={room} onClose={() => showLibrary(false)} />}
        <Transcript room={room} />
        {reading ? (
          <Reader reading={room.shelf.reading} open={reading} />
        ) : (
          <aside class="insight" aria-label="How it goes" tabIndex={0}>
            <Waterfall call={room.call} />
            <Line call={room.call} />
            <Engines room={room} />
          </aside>
        )}
      </main>
      <Dock room={room} />
      <Settings room={room} open={dialogue === "settings"} onClose={() => show("none")} />
      <About room={room} open={dialogue === "about"} onClose={() => show("none")} />
      <Announcer thread={room.thread} />
    </div>
  );
}
