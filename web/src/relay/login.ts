/**
 * Somebody's login: a token for requests that lasts minutes, and one that gets the next two, once.
 *
 * All tabs of a browser have the same, kept until it is left; one of them at a time gets new ones, since a token that came twice
 * would end the login.
 */

import { refusal, Refused, Unavailable } from "./failure.ts";

interface Tokens {
  access: string;
  refresh: string;
  /** When the first of them ends, milliseconds since 1970. */
  until: number;
}

type Kept = Pick<Storage, "getItem" | "setItem" | "removeItem">;
/** Does one thing at a time in all tabs; browsers have it for pages over https, or of this machine. */
type Locks = { request<T>(name: string, doing: () => Promise<T>): Promise<T> };

const KEPT = "voice-relay.login";

export class Login {
  readonly #origin: string;
  readonly #storage: Kept;
  readonly #locks: Locks;

  constructor(origin: string, storage: Kept, locks: Locks = { request: (_, doing) => doing() }) {
    this.#origin = origin;
    this.#storage = storage;
    this.#locks = locks;
  }

  get known(): boolean {
    return this.#tokens() !== null;
  }

  /** What shows who asks; "" where nobody is logged in. */
  get token(): string {
    return this.#tokens()?.access ?? "";
  }

  async enter(email: string, password: string): Promise<void> {
    this.#keep(await this.#ask("login", { email, password }));
  }

  /** Sees to it that the token is good for a while. */
  async fresh(): Promise<void> {
    if (!stale(this.#tokens())) return;
    await this.#locks.request(KEPT, async () => {
      // Another tab may have been first.
      const tokens = this.#tokens();
      if (!tokens || !stale(tokens)) return;
      try {
        this.#keep(await this.#ask("refresh", { refresh_token: tokens.refresh }));
      } catch (error) {
        if (error instanceof Refused) this.forget();
        throw error;
      }
    });
  }

  /** Ends it here and at the relay. */
  async leave(): Promise<void> {
    const tokens = this.#tokens();
    this.forget();
    if (tokens) await this.#ask("logout", { refresh_token: tokens.refresh }).catch(() => {});
  }

  forget(): void {
    this.#storage.removeItem(KEPT);
  }

  #tokens(): Tokens | null {
    try {
      const tokens = JSON.parse(this.#storage.getItem(KEPT) ?? "null") as Partial<Tokens> | null;
      return tokens?.access && tokens.refresh && tokens.until ? (tokens as Tokens) : null;
    } catch {
      return null;
    }
  }

  #keep(given: Given | null): void {
    if (!given) return;
    const tokens: Tokens = { access: given.access_token, refresh: given.refresh_token, until: Date.now() + given.expires_in * 1000 };
    this.#storage.setItem(KEPT, JSON.stringify(tokens));
  }

  async #ask(what: "login" | "refresh" | "logout", body: object): Promise<Given | null> {
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(`${this.#origin}/api/auth/${what}`, request).catch(() => {
      throw new Unavailable("The relay does not answer.");
    });
    if (!answer.ok) throw refusal(answer.status, await answer.json().catch(() => null));
    return answer.status === 204 ? null : ((await answer.json()) as Given);
  }
}

interface Given {
  access_token: string;
  refresh_token: string;
  /** Seconds. */
  expires_in: number;
}

const stale = (tokens: Tokens | null): boolean => tokens !== null && tokens.until - Date.now() < MARGIN_MS;

/** Longer than any request waits. */
const MARGIN_MS = 30_000;
