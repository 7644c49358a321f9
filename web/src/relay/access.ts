/**
 * Who we are to the relay.
 *
 * The relay prints a link with a pass in its fragment, which browsers send to nobody. It is taken out of the address bar and
 * kept until the last tab is closed; each call is opened with a client secret of its own, good for a minute.
 */

/** The pass is not good (any more), or there is none. */
export class Refused extends Error {}

/** The relay did not answer, or is too busy or about to leave; trying again later may help. */
export class Unavailable extends Error {}

/** The relay answered that it will not do this; the message says why, for people. */
export class Failed extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

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

  constructor(origin: string, storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.#origin = origin;
    this.#storage = storage;
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
        if (data.wanted && this.known) channel.postMessage({ pass: this.#pass });
        if (data.pass && !this.known) this.keep(data.pass);
        resolve();
      };
    });
    if (this.known) return true;
    channel.postMessage({ wanted: true });
    await Promise.race([lent, new Promise((resolve) => setTimeout(resolve, LEND_MS))]);
    return this.known;
  }

  forget(): void {
    this.#pass = "";
    this.#storage.removeItem(KEPT);
  }

  get known(): boolean {
    return this.#pass !== "";
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
    const headers = { ...request.headers, ...this.headers() };
    const answer = await fetch(this.#origin + path, { ...request, headers, cache: "no-store" }).catch(() => {
      throw new Unavailable("The relay does not answer.");
    });
    if (answer.ok) return answer;
    throw refusal(answer.status, await answer.json().catch(() => null));
  }

  /** What shows the relay who asks. */
  headers(): Record<string, string> {
    if (!this.known) throw new Refused("no key");
    return { authorization: `Bearer ${this.#pass}` };
  }

  /** The same for a WebSocket, to which browsers give no headers. */
  socket(path: string): WebSocket {
    if (!this.known) throw new Refused("no key");
    return new WebSocket(this.#origin.replace(/^http/, "ws") + path, ["realtime", `openai-insecure-api-key.${this.#pass}`]);
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
    const made = await promise(conversation).catch(anew).catch((error: unknown) => {
      throw error instanceof Failed && error.status === 403 ? new Refused(error.message) : error;
    });
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

/** What an answer that is none comes to. `body` is what came with it. */
export function refusal(status: number, body: unknown): Error {
  const told = (body as { error?: { message?: string }; detail?: string } | null) ?? {};
  const message = told.error?.message ?? told.detail ?? `The relay answered ${status}.`;
  if (status === 401) return new Refused(message);
  if (status === 429 || status >= 500) return new Unavailable(message);
  return new Failed(message, status);
}

/** Another tab answers at once, if there is one. */
const LEND_MS = 250;
/** Long enough to open a call on a slow line. */
const SECRET_SECONDS = 60;
const PATIENCE_MS = 8_000;
