/**
 * Which words of a reply have been spoken by now.
 *
 * The protocol tells a reply's words when they are thought of and its sound when it is made, not which word sounds when. So
 * each word takes the time its letters, digits and pauses usually take; once a reply was heard to its end, the pace is known.
 */

/** Milliseconds a letter takes; learnt anew with each reply that was heard to its end. */
export class Pace {
  #msPerWeight = 62;

  get msPerWeight(): number {
    return this.#msPerWeight;
  }

  /** A text took so long to say. Short ones say little: their silences weigh too much. */
  learn(text: string, ms: number): void {
    const total = weight(text);
    if (total < 20 || ms <= 0) return;
    const seen = ms / total;
    if (seen > 20 && seen < 200) this.#msPerWeight += (seen - this.#msPerWeight) * 0.5;
  }
}

/**
 * How many characters of `text` have been spoken `ms` after it began, up to the end of a word; `totalMs` where all of its
 * sound is known.
 */
export function spoken(text: string, ms: number, pace: Pace, totalMs?: number): number {
  const scale = totalMs === undefined ? pace.msPerWeight : totalMs / Math.max(1, weight(text));
  const reach = ms / scale;
  let passed = 0;
  let end = 0;
  for (const word of words(text)) {
    // A word shows when it begins to sound, as subtitles do.
    if (passed > reach || (passed === 0 && ms <= 0)) break;
    end += word.length;
    passed += weight(word);
  }
  return text.slice(0, end).trimEnd().length;
}

/** Words with the space behind them; a script without spaces goes by characters. */
function words(text: string): string[] {
  return text.match(/\s*[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|\s*[^\s]+\s*/gu) ?? [];
}

/** How long a piece of text takes to say, in letters. */
export function weight(text: string): number {
  let total = 0;
  for (const character of text) {
    if (/\p{Nd}/u.test(character)) total += 4;
    else if (/[.!?…。！？]/u.test(character)) total += 5;
    else if (/[,;:–—、，]/u.test(character)) total += 3;
    else if (/\p{Script=Han}/u.test(character)) total += 3;
    else if (/\S/u.test(character)) total += 1;
    else total += 0.3;
  }
  return total;
}
