import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Access } from "../src/relay/access.ts";
import { Refused } from "../src/relay/failure.ts";
import { Login } from "../src/relay/login.ts";

const storage = () => {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
};

/** What was asked for, and how the relay answers. */
let asked: [path: string, body: Record<string, string>, bearer: string | null][];
let answer: (path: string, body: Record<string, string>) => globalThis.Response;
const tokens = (number: number) => Response.json({ access_token: `a${number}`, refresh_token: `r${number}`, expires_in: 900 });

beforeEach(() => {
  mock.timers.enable({ apis: ["Date"], now: 0 });
  asked = [];
  let made = 0;
  answer = () => tokens((made += 1));
  mock.method(globalThis, "fetch", async (url: string, request: RequestInit) => {
    const path = new URL(url).pathname;
    const body = JSON.parse((request.body as string | undefined) ?? "{}") as Record<string, string>;
    asked.push([path, body, new Headers(request.headers).get("authorization")]);
    return path.startsWith("/api/auth/") ? answer(path, body) : Response.json({});
  });
});
afterEach(() => {
  mock.restoreAll();
  mock.timers.reset();
});

/** One thing at a time, as a browser has it for all tabs. */
function locks() {
  let before: Promise<unknown> = Promise.resolve();
  return {
    request: <T>(_: string, doing: () => Promise<T>): Promise<T> => {
      const done = before.then(doing);
      before = done.catch(() => {});
      return done;
    },
  };
}

test("a login lets in, gets a new token before the old one ends, and each refresh token is used once, by all tabs together", async () => {
  const [kept, shared] = [storage(), locks()];
  const tabs = [1, 2].map(() => new Access("http://here", storage(), new Login("http://here", kept, shared)));
  const [one, two] = tabs as [Access, Access];
  await one.logIn("ann@example.org", "wheel-fjord");
  assert.ok(one.known && two.known && two.loggedIn);
  await two.get("/api/sessions");
  assert.deepEqual(asked.at(-1), ["/api/sessions", {}, "Bearer a1"]);
  mock.timers.tick(880_000);
  await Promise.all([one.get("/1"), two.get("/2"), one.get("/3")]);
  const refreshed = asked.filter(([path]) => path === "/api/auth/refresh");
  assert.deepEqual(refreshed.map(([, body]) => body["refresh_token"]), ["r1"]);
  assert.deepEqual(asked.slice(-3).map(([, , bearer]) => bearer), ["Bearer a2", "Bearer a2", "Bearer a2"]);
});

test("a login that ended asks for another one, and one that is left is left at the relay too", async () => {
  const access = new Access("http://here", storage(), new Login("http://here", storage()));
  await access.logIn("ann@example.org", "wheel-fjord");
  mock.timers.tick(900_000);
  answer = () => Response.json({ detail: "log in again" }, { status: 401 });
  await assert.rejects(access.get("/api/sessions"), Refused);
  assert.equal(access.known, false);

  answer = () => tokens(7);
  await access.logIn("ann@example.org", "wheel-fjord");
  answer = () => new Response(null, { status: 204 });
  access.forget(true);
  assert.equal(access.known, false);
  assert.deepEqual(asked.at(-1)?.slice(0, 2), ["/api/auth/logout", { refresh_token: "r7" }]);
});

test("a relay that is away ends no login, and a key goes before one", async () => {
  const access = new Access("http://here", storage(), new Login("http://here", storage()));
  await access.logIn("ann@example.org", "wheel-fjord");
  mock.timers.tick(900_000);
  answer = () => Response.json({ detail: "busy" }, { status: 503 });
  await assert.rejects(access.get("/api/sessions"), /busy/);
  assert.equal(access.known, true);
  access.keep("vr_key");
  await access.get("/api/sessions");
  assert.equal(asked.at(-1)?.[2], "Bearer vr_key");
});
