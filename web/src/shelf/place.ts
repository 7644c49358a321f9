/** A passage in the text of its document, cut out with its neighbours. Pure. */

export interface Place {
  /** Ends of paragraphs before it and behind it. */
  before: string;
  /** The passage, with the quoted words in the middle; without any all of it is `lead`. */
  lead: string;
  quote: string;
  rest: string;
  after: string;
  /** From 1, where the text has pages. */
  page: number | null;
}

/** Where `passage` stands in `text`, and `quote` in it. */
export function place(text: string, passage: string, quote: string): Place {
  const at = Math.max(0, text.indexOf(passage));
  const end = at + passage.length;
  const mark = quote ? passage.indexOf(quote) : -1;
  const [lead, rest] = mark < 0 ? [passage, ""] : [passage.slice(0, mark), passage.slice(mark + quote.length)];
  const start = Math.max(0, at - AROUND);
  const stop = Math.min(text.length, end + AROUND);
  const pages = text.includes("\f") ? text.slice(0, at).split("\f").length : null;
  return {
    before: clean(start > 0 ? text.slice(start, at).replace(/^\S*\s+/, "… ") : text.slice(start, at)),
    lead: clean(lead),
    quote: mark < 0 ? "" : clean(quote),
    rest: clean(rest),
    after: clean(stop < text.length ? text.slice(end, stop).replace(/\s+\S*$/, " …") : text.slice(end, stop)),
    page: pages,
  };
}

/** The ends of pages are no more than ends of paragraphs here. */
const clean = (text: string): string => text.replaceAll("\f", "\n\n").replace(/\n{3,}/g, "\n\n");

/** Characters on either side: a paragraph or two. */
const AROUND = 900;
