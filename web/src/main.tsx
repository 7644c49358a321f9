import { render } from "preact";
import { config } from "zod";

import { Access } from "./relay/access.ts";
import { App } from "./ui/App.tsx";
import { Room } from "./talk/room.ts";
import "./ui/style.css";

// The SDK checks events with zod, which otherwise tries to compile its checks: no page with a strict policy may do that.
config({ jitless: true });

const access = new Access(location.origin, sessionStorage);
if (access.admit(location.hash)) history.replaceState(null, "", location.pathname);

const room = new Room(access, localStorage);
// A link opened in a tab that has the page already changes the fragment alone.
addEventListener("hashchange", () => {
  if (!access.admit(location.hash)) return;
  history.replaceState(null, "", location.pathname);
  void room.enter();
});
void room.enter();

render(<App room={room} />, document.getElementById("page") as HTMLElement);
