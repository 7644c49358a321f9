// What is kept, as people use it: conversations in folders, found by what was said, with files, exports and links.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { faults } from "./faults.mjs";
import { person, Relay } from "./stage.mjs";

let relay;
/** A service that the relay's tools call. */
const service = createServer(({ url }, response) => (url === "/tide" ? response.end("High water is at noon.") : response.writeHead(500).end("The bell is broken.")));
before(async () => {
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  const { port } = service.address();
  const tool = (name, description, writes) => `[[tools.http]]\nname = "${name}"\ndescription = "${description}"\nurl = "http://127.0.0.1:${port}/${name.split("_")[1]}"\nwrites = ${writes}\n`;
  relay = await Relay.start(`[storage]\nmax_file_size_mb = 8\n${tool("get_tide", "Tells the tide in the harbour.", false)}${tool("ring_bell", "Rings the bell of the harbour.", true)}`);
});
after(async () => {
  service.close();
  await relay.stop();
});

/** Types where nobody calls, and waits for the answer in writing. */
async function ask(talk, question, answer) {
  await talk.type(question);
  await talk.line("you", new RegExp(question.replace(/[?.]/g, "\\$&")));
  await talk.line("relay", answer);
  await talk.state(/Ready/);
}

const file = (name, text) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });

async function saved(page, press) {
  const download = page.waitForEvent("download");
  await press();
  const done = await download;
  return { name: done.suggestedFilename(), text: readFileSync(await done.path(), "utf8") };
}

test("conversations are filed, found by what was said, and gone on with, by voice too", { timeout: 120_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  const { page } = talk;
  await ask(talk, "What is twelve times seven?", /84/);
  await talk.press("New conversation");
  await ask(talk, "What is nine times nine?", /81/);

  await talk.press("Library");
  const entries = page.getByTestId("conversation");
  await talk.until(async () => (await entries.count()) === 2, "both are listed", 10_000);
  await talk.press("New folder");
  await page.getByLabel("Name of the folder").fill("Sums");
  await talk.press("Save");
  await talk.press("Sums");
  await talk.press("New folder");
  await page.getByLabel("A folder in “Sums”").fill("Small ones");
  await talk.press("Save");
  await page.getByRole("button", { name: "Small ones" }).waitFor();

  await talk.press("About it");
  await page.getByLabel("Title").fill("Squares");
  await page.getByRole("combobox", { name: "Folder" }).selectOption({ label: "\u2003Small ones" });
  await talk.shot("about");
  assert.deepEqual(await faults(page), []);
  await talk.press("Close");
  await talk.press("Small ones");
  await talk.until(async () => (await entries.allInnerTexts()).join().startsWith("Squares"), "it is in its folder", 10_000);
  assert.equal(await entries.count(), 1);
  await talk.press("Rename folder");
  await page.getByLabel("New name").fill("Tiny ones");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Tiny ones" }).waitFor();

  // Out of its folder, and the other one into it.
  const folders = () => page.locator(".folder").evaluateAll((rows) => rows.map((row) => `${row.innerText.trim()} ${Number.parseFloat(row.style.paddingInlineStart) - 0.6}`));
  const move = async (name, into, expected) => {
    await talk.press(name);
    await talk.press("Move folder");
    await page.getByLabel(`Move “${name}” into`).selectOption({ label: into });
    await talk.press("Save");
    await talk.until(async () => (await folders()).slice(1).join() === expected, `${name} is moved`, 10_000);
  };
  await move("Tiny ones", "The top", "Sums 0,Tiny ones 0");
  await move("Sums", "Tiny ones", "Tiny ones 0,Sums 1");
  await talk.press("Tiny ones");
  await talk.press("Move folder");
  assert.equal(await page.getByLabel("Move “Tiny ones” into").locator("option").count(), 1, "nothing goes into what is in it");
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press("Escape");
  await talk.until(async () => (await entries.count()) === 1, "what is in it stays in it", 10_000);
  assert.deepEqual(await faults(page), []);
  await talk.shot("conversations");

  const search = page.getByLabel("Search what was said");
  await search.fill("twel");
  await page.keyboard.press("Enter");
  await talk.until(async () => /twelve/i.test(await entries.locator("mark").first().innerText()), "the words are shown", 10_000);
  assert.equal(await entries.count(), 1);
  await talk.shot("search");
  await entries.first().getByRole("button").click();
  await talk.line("relay", /84/);
  assert.equal((await talk.lines()).length, 2, "it is opened as it was");

  await page.setViewportSize({ width: 360, height: 740 });
  await page.keyboard.press("Escape");
  await talk.shot("phone-conversation");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, "it fits a phone");
  assert.deepEqual(await faults(page), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  if (!(await search.isVisible())) await talk.press("Library");

  // A call goes on with it, and so does another tab.
  const other = await someone.open({ carrier: "websocket" });
  await other.press("Library");
  await other.page.getByTestId("conversation").filter({ hasText: "twelve" }).getByRole("button").click();
  await other.line("relay", /84/);
  await page.bringToFront();
  await talk.begin();
  await talk.type("What did I ask first?");
  await talk.line("relay", /first thing you asked was.*twelve times seven/i);
  await talk.press("End");
  await other.page.bringToFront();
  await other.line("relay", /first thing you asked was.*twelve times seven/i);
  assert.equal((await other.lines()).length, 4, "nothing is there twice");
  await page.bringToFront();

  await search.fill("");
  await talk.press("Tiny ones");
  await talk.press("Delete folder");
  await talk.press("Delete the folder, keep what is in it?");
  await talk.until(async () => (await page.getByRole("button", { name: "Tiny ones" }).count()) === 0, "the folder is gone", 10_000);
  await talk.until(async () => (await entries.count()) === 2, "no conversation is", 10_000);
  await talk.press("About it");
  await talk.press("Delete the conversation");
  await talk.press("Delete it, its files and links, for good?");
  await talk.until(async () => (await entries.count()) === 1, "one is", 10_000);
  await other.page.bringToFront();
  await other.type("What is one plus one?");
  await other.until(async () => /was deleted/.test(await other.page.getByTestId("notice").innerText()), "the other tab is told", 20_000);
  await other.press("Try again");
  await other.line("relay", /\b2\b/);
  assert.equal((await other.lines()).length, 2, "in a new conversation");
  assert.deepEqual([...talk.complaints, ...other.complaints], []);
});

test("what is found opens where it was said, however long ago", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const { id } = await relay.post("/api/sessions", { title: "A long story" });
  const said = Array.from({ length: 110 }, (_, n) => (n === 30 ? "The zeppelin lands." : `Line ${n}.`));
  for (const content of said) await relay.post(`/api/sessions/${id}/messages`, { role: "user", content });
  const talk = await someone.open({ carrier: "websocket" });
  const { page } = talk;
  const lists = [];
  page.on("request", (request) => /messages/.test(request.url()) && lists.push(request.url()));
  await talk.press("Library");
  await page.getByLabel("Search what was said").fill("zepp");
  await page.keyboard.press("Enter");
  const entry = page.getByTestId("conversation");
  await talk.until(async () => (await entry.locator("mark").innerText()) === "zeppelin", "where it was said is shown", 10_000);
  await entry.getByRole("button").click();
  const place = page.locator("[aria-current=location]");
  await place.waitFor();
  assert.match(await place.innerText(), /The zeppelin lands/);
  await talk.until(async () => Math.abs((await place.boundingBox()).y - 400) < 300, "it is in sight", 5_000);
  assert.equal(lists.length, 1, lists.join());
  const texts = async () => (await talk.lines()).map(({ text }) => text);
  assert.deepEqual(await texts(), [...said.slice(10, 50), ...said.slice(60)]);
  await talk.shot("place");
  assert.deepEqual(await faults(page), []);
  await talk.press("Show what was said in between");
  await talk.until(async () => (await texts()).length === said.length, "all of it is shown", 10_000);
  assert.deepEqual(await texts(), said);
  assert.equal(await page.getByRole("button", { name: /^Show what was said/ }).count(), 0);
  assert.deepEqual(talk.complaints, []);
});

test("what tools did is told under the answer, and what came of it on a click", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  const { page } = talk;
  await ask(talk, "How is the tide?", /High water is at noon/);
  const tool = page.getByTestId("tool");
  assert.equal(await tool.innerText(), "get tide done");
  assert.equal(await tool.locator("dl").isVisible(), false);
  await tool.locator("summary").click();
  assert.match(await tool.innerText(), /Given\s+\{\}\s+Came of it\s+High water is at noon\./);
  await ask(talk, "Ring the bell, please.", /ring bell.*Shall I\?/);
  assert.equal(await tool.last().innerText(), "ring bell asks first");
  await ask(talk, "Yes, please.", /bell is broken/);
  assert.equal(await tool.last().innerText(), "ring bell not done");
  await tool.last().locator("summary").click();
  assert.match(await tool.last().innerText(), /The bell is broken/);
  await talk.shot("tools");
  assert.deepEqual(await faults(page), []);

  // In a call they are named at once, and told in full once the reply is kept.
  await talk.begin();
  await talk.type("How is the tide today?");
  await talk.until(async () => (await tool.count()) === 4, "it is named in a call", 20_000);
  await talk.until(async () => (await tool.last().locator("summary").count()) === 1, "and told in full", 20_000);
  await talk.press("End");
  assert.deepEqual(talk.complaints, []);
});

test("a conversation has files, is taken away and is shared", { timeout: 120_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  const { page } = talk;
  await ask(talk, "What is five times five?", /25/);

  const attach = page.getByLabel("Files to attach");
  await attach.setInputFiles([file("notes.txt", "The spare key hangs behind the door."), file("wrong.pdf", "no PDF at all")]);
  const chip = page.getByTestId("file");
  await talk.until(async () => (await chip.getAttribute("data-state")) === "ready", "the file was read", 20_000);
  const upload = page.getByTestId("upload");
  await talk.until(async () => /wrong\.pdf\s+\S.+/.test(await upload.innerText()), "why the other was not taken is told", 10_000);
  await talk.shot("files");
  assert.deepEqual(await faults(page), []);
  await talk.press("Dismiss wrong.pdf");
  assert.deepEqual(await saved(page, () => page.getByRole("button", { name: /^Download notes.txt/ }).click()), { name: "notes.txt", text: "The spare key hangs behind the door." });
  await talk.press("Delete notes.txt");
  await talk.until(async () => (await chip.count()) === 0, "the file is gone", 10_000);
  const preview = page.getByTestId("preview");
  await attach.setInputFiles([{ ...file("screen.png", ""), buffer: await page.screenshot() }]);
  await preview.waitFor();
  const drawn = () => preview.evaluate((canvas) => [canvas.width, new Set(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).size > 2]);
  await talk.until(async () => (await drawn()).join() === "256,true", "the picture is drawn, small", 10_000);
  await talk.shot("preview");
  await talk.press("Delete screen.png");
  await talk.until(async () => (await chip.count()) === 0, "the picture is gone", 10_000);
  await attach.setInputFiles([file("tool.exe", "MZ")]);
  await talk.until(async () => /tool\.exe\s+\S.+/.test(await upload.innerText()), "it is refused", 10_000);
  await talk.until(async () => (await talk.lines()).every(({ text }) => text !== "tool.exe"), "nobody reads that a file came", 10_000);

  // What is too large is not sent at all.
  await talk.press("Dismiss tool.exe");
  const posts = [];
  page.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  assert.match(await page.getByRole("button", { name: "Attach files" }).getAttribute("title"), /up to 8\.4 MB each$/);
  await attach.setInputFiles([file("huge.txt", "x".repeat(9_000_000))]);
  await talk.until(async () => /huge\.txt\s+It is too large: it has 9\.0 MB, and 8\.4 MB is the most/.test(await upload.innerText()), "it is refused here", 10_000);
  assert.deepEqual(posts, []);

  // On a slow line: how far it is, and that it may be given up.
  await talk.press("Dismiss huge.txt");
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 200_000 };
  await network.send("Network.emulateNetworkConditions", slow);
  await attach.setInputFiles([file("large.txt", "words ".repeat(1_000_000))]);
  const share = page.getByRole("progressbar", { name: "Upload of large.txt" });
  await talk.until(async () => (await share.evaluate((bar) => bar.value)) > 0.01, "some of it has left", 20_000);
  assert.ok((await share.evaluate((bar) => bar.value)) < 1);
  await talk.press("Give up large.txt");
  await network.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
  await talk.until(async () => (await upload.count()) === 0, "it is given up", 10_000);
  await talk.until(async () => (await talk.lines()).every(({ text }) => text !== "large.txt"), "nobody reads that it came", 10_000);

  await talk.press("About it");
  const markdown = await saved(page, () => talk.press("Markdown"));
  assert.ok(markdown.name.endsWith(".md") && /five times five[^]*25/.test(markdown.text), markdown.text);
  const json = await saved(page, () => talk.press("JSON"));
  assert.equal(JSON.parse(json.text).messages[0].content, "What is five times five?");

  await page.getByLabel("Good for").selectOption({ label: "a week" });
  await page.getByLabel("Password, if it is to have one").fill("correct horse");
  await talk.press("Make a link");
  const address = await page.getByLabel("The link, shown this once").inputValue();
  await talk.shot("share");
  const reader = await someone.context.newPage();
  await reader.goto(address);
  await reader.locator("input[type=password]").fill("correct horse");
  await reader.keyboard.press("Enter");
  await reader.getByText("What is five times five?").first().waitFor();
  await page.bringToFront();
  await talk.press("Close");
  await talk.press("About it");
  const link = page.getByTestId("link");
  await talk.until(async () => /with a password, opened once/.test(await link.innerText()), "it was opened", 10_000);
  await talk.press("End it");
  await talk.until(async () => (await link.count()) === 0, "it is ended", 10_000);
  assert.equal((await reader.goto(address)).status(), 404);
  // The browser tells of refused requests by itself.
  assert.deepEqual(talk.complaints.filter((complaint) => !/status of 415/.test(complaint)), []);
});

test("what is typed while the relay is away arrives once it is back, once", { timeout: 90_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await ask(talk, "What is two times two?", /4/);
  await relay.kill();
  await talk.type("What is six times seven?");
  await talk.until(async () => /does not answer/.test(await talk.page.getByTestId("notice").innerText()), "it is told", 20_000);
  await relay.start();
  await talk.line("relay", /42/, /done/, 40_000);
  assert.equal((await talk.lines()).filter(({ text }) => /six times seven/.test(text)).length, 1);
  assert.equal(await talk.page.getByTestId("notice").count(), 0, "and the notice is gone");
  assert.deepEqual(talk.complaints, []);
});
