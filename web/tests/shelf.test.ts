import assert from "node:assert/strict";
import { test } from "node:test";

import { signal } from "@preact/signals";

import type { Folder } from "../src/relay/conversations.ts";
import { refusal, Refused, Unavailable } from "../src/relay/failure.ts";
import type { Document } from "../src/relay/documents.ts";
import { named } from "../src/relay/download.ts";
import { flat, places } from "../src/shelf/conversations.ts";
import { progress, underWay } from "../src/shelf/documents.ts";
import { place } from "../src/shelf/place.ts";
import { Uploads } from "../src/shelf/uploads.ts";
import { numbers, pieces } from "../src/talk/transcript.ts";

test("a text's numbers stand in their places, ranges and lists among them", () => {
  assert.deepEqual(pieces("Forty seconds [1]. Dogs too [2, 4–5], [see]."), ["Forty seconds ", 1, ". Dogs too ", 2, 4, 5, ", [see]."]);
  assert.deepEqual(pieces("[,] and [1-9999]").length > 99, true);
  assert.deepEqual([...numbers("no [x] [] here")], []);
});

test("a passage is cut out with its neighbours, its page is counted, and the quote is marked in it", () => {
  const text = `${"a ".repeat(600)}\fBefore. The horn sounds. Every forty seconds. After.${" b".repeat(600)}`;
  const found = place(text, "The horn sounds. Every forty seconds.", "Every forty seconds.");
  assert.deepEqual([found.lead, found.quote, found.rest, found.page], ["The horn sounds. ", "Every forty seconds.", "", 2]);
  assert.ok(found.before.startsWith("… ") && found.before.endsWith("Before. "), found.before);
  assert.ok(found.after.startsWith(" After.") && found.after.endsWith(" …"), found.after);
});

test("a quote that is not in its passage marks nothing, and without pages there is none", () => {
  const alone = place("The horn sounds.", "The horn sounds.", "elsewhere");
  assert.deepEqual(alone, { before: "", lead: "The horn sounds.", quote: "", rest: "", after: "", page: null });
});

test("folders are listed in the order of their tree", () => {
  const folder = (name: string, ...children: Folder[]): Folder => ({ id: name, name, parent_folder_id: null, children });
  const tree = [folder("a", folder("b"), folder("d")), folder("c")];
  const told = (tree: readonly Folder[]) => flat(tree).map(({ folder, depth }) => `${depth}${folder.name}`);
  assert.deepEqual(told(tree), ["0a", "1b", "1d", "0c"]);
  assert.deepEqual(told(places(tree, "a")), ["0c"], "nothing goes into itself, nor into what is in it");
  assert.deepEqual(told(places(tree, "b")), ["0a", "1d", "0c"]);
});

test("a document's state is told in words", () => {
  const document = (more: Partial<Document>) => ({ state: "ready", failure: null, passages: 0, indexed: 0, ...more }) as Document;
  assert.equal(progress(document({ state: "indexing", passages: 24, indexed: 3 })), "Indexing, 3 of 24 passages");
  assert.equal(progress(document({ state: "failed", failure: "There is no text in it." })), "There is no text in it.");
  assert.equal(progress(document({ passages: 1 })), "Ready, 1 passage");
  assert.ok(underWay(document({ state: "pending" })) && !underWay(document({ state: "failed" })));
});

test("files are named as the relay names them", () => {
  assert.equal(named(`attachment; filename="Gr__e.md"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.md`), "Grüße.md");
  assert.equal(named('attachment; filename="a.md"'), "a.md");
  assert.equal(named(""), "download");
});

test("what the relay refuses says why, in the words of either kind of error", () => {
  assert.ok(refusal(401, null) instanceof Refused);
  assert.ok(refusal(503, { detail: "Try again." }) instanceof Unavailable);
  assert.equal(refusal(415, { detail: "It is no PDF." }).message, "It is no PDF.");
  assert.equal(refusal(400, { error: { message: "No." } }).message, "No.");
});

test("files go one after the other; what is refused stays with its reason, what is given up is not sent", async () => {
  const uploads = new Uploads(signal(9));
  const sent: string[] = [];
  const file = (name: string, content = "x") => new File([content], name);
  const all = uploads.add([file("a"), file("b"), file("c"), file("empty", ""), file("large", "0123456789")], async ({ name }, progress) => {
    sent.push(name);
    progress(0.5);
    if (name === "a") uploads.drop(3);
    if (name === "b") throw new Error("too large");
  });
  await all;
  assert.deepEqual(sent, ["a", "b"]);
  assert.deepEqual(uploads.list.value.map(({ name, failure }) => [name, failure]), [["b", "too large"], ["empty", "There is nothing in this file."], ["large", "It is too large: it has 10 bytes, and 9 bytes is the most that is taken."]]);
  uploads.drop(2);
  uploads.drop(4);
  uploads.drop(5);
  assert.deepEqual(uploads.list.value, []);
});
