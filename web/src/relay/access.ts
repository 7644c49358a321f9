/**
 * Who we are to the relay.
 *
 * The relay prints a link with a pass in its fragment, which browsers send to nobody. It is taken out of the address bar and
 * kept until the last tab is closed; without one, a login takes its place. Each call is opened with a client secret of its own,
 * good for a minute.
 */

import { Failed, refusal, Refused, Unavailable } from "./failure.ts";
import type { Login } from "./login.ts";

export { Failed, Refused, Unavailable };

/** What it takes to open one call. */
export interface Grant {
  secret: string;
  /** The model that answers, as a session names it. */
  model: string;
  /** The conversation it belongs to. */
  conversation: string;
  /** Whether that is the one that was asked for: it knows what was said before. */
  goesOn: boolean;
  /** Where packets are passed on for those whom they do not reach; the relay's own TURN server, if it has one. */
  iceServers: RTCIceServer[];
}

const KEPT = "voice-relay.pass";

export class Access {
  #pass: string;
  readonly #storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly #origin: string;
  readonly #login: Login | null;

  constructor(origin: string, storage: Pick<Storage, "getItem" | "setItem" | "removeItem">, login: Login | null = null) {
    this.#origin = origin;
    this.#storage = storage;
    this.#login = login;
    this.#pass = storage.getItem(KEPT) ?? "";
  }

  /** Takes the pass out of `#key=…`; true if there was one. */
  admit(fragment: string): boolean {
    const pass = new URLSearchParams(fragment.replace(/^#/, "")).get("key")?.trim();
    if (pass) this.keep(pass);
    return Boolean(pass);
  }

  keep(pass: string): void {
    this.#pass = pass;
    this.#storage.setItem(KEPT, pass);
  }

  /** Asks the other tabs of this browser for theirs, and from now on answers those that ask; true if there is one now. */
  async share(channel: BroadcastChannel): Promise<boolean> {
    const lent = new Promise<void>((resolve) => {
      channel.onmessage = ({ data }: MessageEvent<{ wanted?: true; pass?: string }>) => {
        if (data.wanted && this.#pass) channel.postMessage({ pass: this.#pass });
        if (data.pass && !this.known) this.keep(data.pass);
        resolve();
      };
    });
    if (this.known) return true;
    channel.postMessage({ wanted: true });
    await Promise.race([lent, new Promise((resolve) => setTimeout(resolve, LEND_MS))]);
    return this.known;
  }

  /** Takes somebody's e-mail and password for the pass. */
  async logIn(email: string, password: string): Promise<void> {
    await this.#login?.enter(email, password);
  }

  /** Forgets who we are; `leaving`: the relay is told so. */
  forget(leaving = false): void {
    this.#pass = "";
    this.#storage.removeItem(KEPT);
    if (leaving) void this.#login?.leave();
    else this.#login?.forget();
  }

  get known(): boolean {
    return this.#pass !== "" || this.loggedIn;
  }

  /** Whether it is a login that lets us in. */
  get loggedIn(): boolean {
    return this.#pass === "" && (this.#login?.known ?? false);
  }

  /** Asks for a resource of the relay. */
  get<T>(path: string): Promise<T> {
    return this.ask<T>("GET", path);
  }

  /** Does something to a resource; `body` goes as JSON. Where there is nothing to answer the answer is null. */
  async ask<T>(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: object): Promise<T> {
    const request = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await this.fetch(path, { ...request, method, signal: AbortSignal.timeout(PATIENCE_MS) });
    return (answer.status === 204 ? null : await answer.json()) as T;
  }

  /** The answer itself, for what is not JSON or takes long. */
  async fetch(path: string, request: RequestInit): Promise<globalThis.Response> {
    const headers = { ...request.headers, ...(await this.headers()) };
    const answer = await fetch(this.#origin + path, { ...request, headers, cache: "no-store" }).catch(() => {
      throw new Unavailable("The relay does not answer.");
    });
    if (answer.ok) return answer;
    throw refusal(answer.status, await answer.json().catch(() => null));
  }

  /** What shows the relay who asks. */
  async headers(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.#credential()}` };
  }

  /** The same for a WebSocket, to which browsers give no headers. */
  async socket(path: string): Promise<WebSocket> {
    return new WebSocket(this.#origin.replace(/^http/, "ws") + path, ["realtime", `openai-insecure-api-key.${await this.#credential()}`]);
  }

  async #credential(): Promise<string> {
    if (this.loggedIn) await this.#login?.fresh();
    const credential = this.#pass || this.#login?.token;
    if (!credential) throw new Refused("no key");
    return credential;
  }

  /** A client secret for one call: in this conversation, if it is there, else in a new one. `model`: "" for the usual one. */
  async grant(model: string, conversation: string | null): Promise<Grant> {
    const promise = (id: string | null) =>
      this.ask<Promised>("POST", "/voice/realtime-session", {
        expires_in_seconds: SECRET_SECONDS,
        ...(model ? { model } : {}),
        ...(id ? { conversation_id: id } : {}),
      });
    const anew = (error: unknown) => {
      // Nothing was kept of it yet, or it was deleted.
      if (conversation && error instanceof Failed && error.status === 404) return promise(null);
      throw error;
    };
    const made = await promise(conversation).catch(anew);
    return {
      secret: made.client_secret.value,
      model: made.model,
      conversation: made.conversation_id,
      goesOn: made.conversation_id === conversation,
      iceServers: made.ice_servers ?? [],
    };
  }
}

interface Promised {
  model: string;
  conversation_id: string;
  client_secret: { value: string };
  ice_servers?: RTCIceServer[];
}

/** Another tab answers at once, if there is one. */
const LEND_MS = 250;
/** Long enough to open a call on a slow line. */
const SECRET_SECONDS = 60;
const PATIENCE_MS = 8_000;
