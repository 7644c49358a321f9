/** Why the relay did not do what it was asked for. */

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

/** What an answer that is none comes to. `body` is what came with it. */
export function refusal(status: number, body: unknown): Error {
  const told = (body as { error?: { message?: string }; detail?: string } | null) ?? {};
  const message = told.error?.message ?? told.detail ?? `The relay answered ${status}.`;
  if (status === 401) return new Refused(message);
  if (status === 429 || status >= 500) return new Unavailable(message);
  return new Failed(message, status);
}
