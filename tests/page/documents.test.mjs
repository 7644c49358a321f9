// Answers from documents, as a person has them: a document put in on the page, a spoken question, a spoken answer from it, and the
// same full citation on the page, over REST, on the chat socket and in the exported PDF.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { faults } from "./faults.mjs";
import { person, Relay } from "./stage.mjs";

let relay;
before(async () => (relay = await Relay.start()));
after(() => relay.stop());

const HANDBOOK = new URL("harbour.md", import.meta.url).pathname;
const SENTENCE = "In fog the horn on the north pier sounds every forty seconds, by day and by night.";
const SOURCE = { title: "Harbour handbook", authors: ["Hansen, Kari", "Doe, Jane"], publication_date: "2024-05", journal: "Journal of Piers", doi: "10.1000/182" };

/** Puts a document in on the page, says what it is, and waits until it is found. */
async function putIn(talk) {
  const { page } = talk;
  await talk.press("Library");
  await page.getByRole("tab", { name: "Documents" }).click();
  await page.getByText("up to 52.4 MB each").waitFor();
  await page.getByLabel("Documents to add").setInputFiles(HANDBOOK);
  const row = page.getByTestId("document");
  await row.waitFor();
  await page.getByRole("button", { name: /^Describe / }).click();
  await page.getByLabel("Title").fill(SOURCE.title);
  await page.getByLabel("Authors, one a line").fill(SOURCE.authors.join("\n"));
  await page.getByLabel("Date").fill(SOURCE.publication_date);
  await page.getByLabel("Journal").fill(SOURCE.journal);
  await page.getByLabel("DOI").fill(`https://doi.org/${SOURCE.doi}`);
  await talk.press("Save");
  await talk.until(async () => (await row.getAttribute("data-state")) === "ready", "the document is ready", 60_000);
  assert.match(await row.innerText(), /Harbour handbook[^]*Hansen, Kari & Doe, Jane, 2024[^]*Ready, \d passages?/);
}

/** The messages that the chat socket tells when it opens, as a browser is told them. */
function history(page, url) {
  return page.evaluate(
    (url) =>
      new Promise((resolve, reject) => {
        const key = sessionStorage.getItem("voice-relay.pass");
        const socket = new WebSocket(url, ["realtime", `openai-insecure-api-key.${key}`]);
        socket.onerror = () => reject(new Error("the chat socket did not open"));
        socket.onmessage = ({ data }) => {
          const event = JSON.parse(data);
          if (event.type !== "history") return;
          socket.close();
          resolve(event.messages);
        };
      }),
    url,
  );
}

const flat = (text) => text.replace(/\s+/g, " ").trim();

test("a spoken question is answered aloud from a document, and the same full citation is everywhere", { timeout: 150_000 }, async (t) => {
  // It is said again and again until it is heard: the document is put in first, however long that takes.
  const someone = await person(relay, [[1, "horn"], ...Array.from({ length: 6 }, () => [6, "horn"])]);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  const { page } = talk;
  await putIn(talk);
  await talk.shot("documents");

  await talk.begin();
  await talk.line("you", /horn.*north pier.*fog/i);
  await talk.press("Mute the microphone");
  await talk.until(async () => (await page.getByTestId("meter").getAttribute("data-relay")) > 0.2, "the answer is loud", 20_000);
  const answer = await talk.line("relay", /forty seconds.*\[1\]/);
  await page.getByTestId("cite").first().waitFor();
  await talk.shot("cited");
  await page.getByTestId("cite").first().click();
  const reader = page.getByTestId("reader");
  await talk.until(async () => (await reader.getAttribute("data-state")) === "around", "the passage in its source", 10_000);
  await talk.shot("reader");
  assert.deepEqual(await faults(page), []);
  await talk.press("End");

  // Over REST, when all of it is kept.
  let kept;
  await talk.until(
    async () => {
      const { items } = await relay.get("/api/sessions");
      const { items: messages } = await relay.get(`/api/sessions/${items[0].id}/messages`);
      kept = { session: items[0].id, messages, answer: messages.find(({ role, citations }) => role === "assistant" && citations.length > 0) };
      return kept.answer?.status === "completed";
    },
    "the answer is kept",
    20_000,
  );
  assert.equal(flat(kept.answer.content), answer.text);
  const [citation] = kept.answer.citations;
  for (const [field, value] of Object.entries(SOURCE)) assert.deepEqual(citation[field], value, field);
  assert.equal(citation.index, 1);
  assert.equal(citation.quoted_text, SENTENCE);
  assert.ok(citation.context.includes(SENTENCE) && citation.relevance_score > 0 && citation.source_id && citation.passage_id, JSON.stringify(citation));

  // On the page: its passage stands in the document, with the sentence marked in it.
  assert.equal(flat(await reader.getByTestId("quote").innerText()), SENTENCE);
  assert.equal(flat(await reader.getByTestId("passage").innerText()), flat(citation.context));
  const head = flat(await reader.innerText());
  for (const value of [SOURCE.title, ...SOURCE.authors, SOURCE.publication_date, SOURCE.journal, SOURCE.doi]) assert.ok(head.includes(value), `${value} in ${head}`);

  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await talk.shot("phone-reader");
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press("Escape");
  assert.equal(await reader.count(), 0);
  await page.setViewportSize({ width: 1280, height: 800 });

  // The document is had back as it was put in, from its row and from the source.
  await page.getByTestId("cite").first().click();
  for (const name of [/^Download Harbour handbook \(/, "Download the document"]) {
    const copy = page.waitForEvent("download");
    await page.getByRole("button", { name }).click();
    assert.equal((await copy).suggestedFilename(), "harbour.md");
    assert.deepEqual(readFileSync(await (await copy).path()), readFileSync(HANDBOOK));
  }

  // On the chat socket, field by field.
  const told = await history(page, `${relay.url.replace("http", "ws")}/api/realtime/ws?session_id=${kept.session}`);
  assert.deepEqual(told.find(({ id }) => id === kept.answer.id).citations, kept.answer.citations);

  // And in the PDF that the page saves.
  await talk.press("About it");
  const saved = page.waitForEvent("download");
  await talk.press("PDF");
  const path = join(await (await saved).path());
  const pdf = flat(execFileSync("pdftotext", ["-layout", path, "-"], { encoding: "utf8" }));
  const { items: references } = await relay.get(`/api/messages/${kept.answer.id}/citations?style=apa`);
  const seen = pdf.replace(/[- ]/g, "");
  assert.ok(seen.includes(references[0].formatted.replace(/[- ]/g, "")), `${references[0].formatted} in ${pdf}`);
  assert.ok(seen.includes(SENTENCE.replace(/[- ]/g, "")), `the sentence in ${pdf}`);
  assert.deepEqual(talk.complaints, []);
});

test("what cannot be a document is told why, and what was cited stays readable when its document is gone", { timeout: 90_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  const { page } = talk;
  const file = (name, text) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });
  const timetable = file("timetable.txt", "The museum of ropes opens at half past ten and is closed on Mondays.");
  await talk.press("Library");
  await page.getByRole("tab", { name: "Documents" }).click();
  const picker = page.getByLabel("Documents to add");
  await picker.setInputFiles([file("empty.txt", ""), file("tool.exe", "MZ"), timetable]);
  const row = page.getByTestId("document").filter({ hasText: "timetable" });
  await talk.until(async () => (await row.getAttribute("data-state")) === "ready", "the document is ready", 60_000);
  await picker.setInputFiles([timetable]);
  const uploads = page.getByLabel("Uploads");
  await talk.until(async () => /You have this document already/.test(await uploads.innerText()), "the same bytes are refused", 10_000);
  assert.match(await uploads.innerText(), /empty\.txt\s+There is nothing in this file[^]*tool\.exe\s+\S+ \S+/);
  await talk.shot("refused");

  await page.getByLabel("Search in the documents").fill("When does the museum of ropes open?");
  await page.keyboard.press("Enter");
  await page.getByTestId("found").first().getByRole("button").click();
  const reader = page.getByTestId("reader");
  await talk.until(async () => (await reader.getAttribute("data-state")) === "around", "the passage in its source", 10_000);
  assert.match(await reader.innerText(), /half past ten/);

  await talk.type("When does the museum of ropes open?");
  await talk.line("relay", /half past ten.*\[1\]/);
  await talk.press("Delete timetable");
  await talk.press("Delete it for good?");
  await talk.until(async () => (await row.count()) === 0, "it is gone", 10_000);
  await page.getByTestId("cite").first().click();
  await talk.until(async () => (await reader.getAttribute("data-state")) === "gone", "it is told to be gone", 10_000);
  assert.match(await reader.getByTestId("quote").innerText(), /^The museum of ropes opens at half past ten/);
  await talk.shot("gone");
  // The browser tells of refused requests by itself.
  assert.deepEqual(talk.complaints.filter((complaint) => !/status of 4(15|09)/.test(complaint)), []);
});
