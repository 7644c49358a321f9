/** How long to wait before the next attempt: soon at first, never long, never all at the same moment. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return ceiling * (0.7 + 0.3 * random());
}

const FIRST_MS = 500;
const LONGEST_MS = 8_000;
