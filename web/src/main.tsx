import "./strict.ts";

import { render } from "preact";

import { Access } from "./relay/access.ts";
import { Login } from "./relay/login.ts";
import { App } from "./ui/App.tsx";
import { Room } from "./talk/room.ts";
import "./ui/style.css";
import "./ui/library.css";

const access = new Access(location.origin, sessionStorage, new Login(location.origin, localStorage, navigator.locks));
if (access.admit(location.hash)) history.replaceState(null, "", location.pathname);

const room = new Room(access, localStorage);
// A link opened in a tab that has the page already changes the fragment alone.
addEventListener("hashchange", () => {
  if (!access.admit(location.hash)) return;
  history.replaceState(null, "", location.pathname);
  void room.enter();
});
void room.enter();

// A file that misses its mark must not take the page's place.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());

render(<App room={room} />, document.getElementById("page") as HTMLElement);
