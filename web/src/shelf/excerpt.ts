/** Where words stand in a text, with a little of what is around them. Pure. */

export interface Excerpt {
  before: string;
  hit: string;
  after: string;
}

/** The first place where one of the words begins one of the text's, as the relay's search has it. */
export function excerpt(text: string, words: string): Excerpt | null {
  const wanted = words.match(/[\p{L}\p{N}]+/gu) ?? [];
  if (wanted.length === 0) return null;
  const [found] = text.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])(?:${wanted.join("|")})[\\p{L}\\p{N}]*`, "giu"));
  if (!found) return null;
  const { index } = found;
  const end = index + found[0].length;
  const from = index <= AROUND ? 0 : text.indexOf(" ", index - AROUND) + 1 || index;
  const to = text.length - end <= AROUND ? text.length : text.lastIndexOf(" ", end + AROUND);
  return {
    before: `${from > 0 ? "… " : ""}${text.slice(Math.min(from, index), index)}`,
    hit: found[0],
    after: `${text.slice(end, Math.max(to, end))}${to < text.length ? " …" : ""}`,
  };
}

/** Characters on either side: two lines together. */
const AROUND = 40;
