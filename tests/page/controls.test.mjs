// The page's controls: keys and links, typing, push-to-talk, settings, two tabs; how it looks, and to whom it is open.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { faults } from "./faults.mjs";
import { seconds } from "./microphone.mjs";
import { person, Relay } from "./stage.mjs";

let relay;
before(async () => (relay = await Relay.start()));
after(() => relay.stop());

test("the link opens the page, and further tabs, and is not left in the address bar; a stranger is asked for a key", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open();
  await talk.page.getByRole("button", { name: "Talk" }).waitFor();
  assert.equal(talk.page.url(), `${relay.url}/`);
  assert.deepEqual(await faults(talk.page), []);
  const tab = await someone.context.newPage();
  await tab.goto(relay.url);
  await tab.getByRole("button", { name: "Talk" }).waitFor();

  const stranger = await person(relay, [], { link: relay.url });
  t.after(() => stranger.close());
  const door = await stranger.open();
  await door.page.getByLabel("Key").fill("vr_not_a_key_of_this_relay");
  await door.press("Come in");
  await door.page.getByRole("alert").waitFor();
  await door.shot("door");
  assert.deepEqual(await faults(door.page), []);
  await door.page.getByLabel("Key").fill(new URL(relay.link).hash.slice("#key=".length));
  await door.page.keyboard.press("Enter");
  await door.page.getByRole("button", { name: "Talk" }).waitFor();
});

test("whoever has an account logs in, for all tabs, and out again", { timeout: 60_000 }, async (t) => {
  const account = { email: "ann@example.org", password: "wheel-fjord-candle-52", full_name: "Ann Droid" };
  const headers = { authorization: `Bearer ${relay.admin}`, "content-type": "application/json" };
  const made = await fetch(`${relay.url}/api/auth/register`, { method: "POST", headers, body: JSON.stringify(account) });
  assert.equal(made.status, 201);
  const someone = await person(relay, [], { link: relay.url });
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await talk.page.getByText("Log in with e-mail and password").click();
  assert.deepEqual(await faults(talk.page), []);
  await talk.page.getByLabel("E-mail").fill(account.email);
  await talk.page.getByLabel("Password").fill("not-the-one-she-has");
  await talk.press("Log in");
  await talk.page.getByText("do not go together").waitFor();
  await talk.shot("login");
  await talk.page.getByLabel("Password").fill(account.password);
  await talk.press("Log in");
  await talk.page.getByRole("button", { name: "Talk" }).waitFor();
  await talk.begin();
  await talk.type("What is nine times nine?");
  await talk.line("relay", /81/);
  const tab = await someone.open({ carrier: "websocket" });
  await tab.press("Library");
  await tab.page.getByTestId("conversation").filter({ hasText: "nine times nine" }).waitFor();
  // Who may only read is told so, and is not put out.
  const { id } = await made.json();
  const viewer = { method: "PATCH", headers, body: JSON.stringify({ role: "viewer" }) };
  assert.equal((await fetch(`${relay.url}/api/users/${id}`, viewer)).status, 200);
  await tab.press("Talk");
  await tab.until(async () => /viewer reads/.test(await tab.page.getByTestId("notice").innerText()), "they are told", 10_000);
  await tab.state(/Ready/);
  await tab.press("Settings");
  await tab.press("Log out");
  await tab.page.getByLabel("Key").waitFor();
  await tab.page.reload();
  await tab.page.getByLabel("Key").waitFor();
  // The browser tells of refused requests by itself.
  assert.deepEqual(talk.complaints.filter((complaint) => !/status of 401/.test(complaint)), []);
});

test("a key for live voice alone talks, is answered aloud when it types, and opens no library", { timeout: 60_000 }, async (t) => {
  const headers = { authorization: `Bearer ${relay.admin}`, "content-type": "application/json" };
  const made = await fetch(`${relay.url}/api/keys`, { method: "POST", headers, body: JSON.stringify({ name: "voice", scopes: ["realtime"] }) });
  const { key } = await made.json();
  const someone = await person(relay, [], { link: `${relay.url}/#key=${key}` });
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await talk.type("What is eight times eight?");
  await talk.line("relay", /64/);
  await talk.state(/^Live/);
  assert.equal((await talk.lines()).length, 2);
  await talk.press("Library");
  await talk.page.getByText("This key is for talking alone").waitFor();
  assert.deepEqual(talk.complaints.filter((complaint) => !/status of 403/.test(complaint)), []);
});

test("what is typed is answered aloud in the same conversation, interrupts, and is read out to those who listen", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await talk.page.getByRole("button", { name: "Count to thirty." }).click();
  await talk.line("relay", /^One, two, three/, /live/);
  await talk.until(async () => (await talk.page.getByTestId("meter").getAttribute("data-relay")) > 0.2, "the reply is loud", 5_000);
  await talk.type("What is nine times nine?");
  await talk.line("relay", /interrupted$/, /cut/);
  await talk.line("relay", /81/);
  assert.match(await talk.page.getByTestId("announcer").innerText(), /Relay: .*81/);
  assert.deepEqual(talk.complaints, []);
});

test("with push-to-talk only what is said while the space bar is down is heard", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, [[4, "question"], [4, "cards-005"]]);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await talk.press("Settings");
  await talk.page.getByRole("switch", { name: /Push to talk/ }).check();
  assert.deepEqual(await faults(talk.page), []);
  await talk.shot("settings");
  await talk.page.getByRole("button", { name: "Close" }).click();
  await talk.begin();
  await talk.page.keyboard.down("Space");
  await talk.floor("you");
  await talk.shot("push-to-talk");
  await talk.page.waitForTimeout((4 + seconds("question")) * 1_000);
  await talk.page.keyboard.up("Space");
  await talk.line("you", /12 times 7/i);
  await talk.line("relay", /84/);
  // Somebody goes on to speak, with the key up.
  await talk.page.waitForTimeout((4 + seconds("cards-005")) * 1_000);
  assert.equal((await talk.lines()).length, 2);
  assert.deepEqual(talk.complaints, []);
});

test("voice, language and model can be changed in the middle, and muting keeps quiet", { timeout: 90_000 }, async (t) => {
  const someone = await person(relay, [[1, "question"]]);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await talk.begin();
  await talk.line("relay", /84/);
  await talk.press("Settings");
  await talk.page.getByLabel("Voice").selectOption("local/flite");
  await talk.page.getByLabel("Language you speak").selectOption("en");
  await talk.page.getByLabel("Who answers").selectOption("local/agent");
  const microphones = await talk.page.getByLabel(/^Microphone/).locator("option").allTextContents();
  assert.ok(microphones.length > 1, microphones.join());
  await talk.page.getByRole("button", { name: "Close" }).click();
  await talk.state(/^Live/);
  assert.match(await talk.page.getByTestId("engines").innerText(), /Speaks\s+flite/);
  await talk.type("What did I just ask?");
  await talk.line("relay", /You said: .*12 times 7/i);
  await talk.press("Mute the microphone");
  await talk.until(async () => /muted/.test(await talk.page.getByTestId("floor").innerText()), "muted", 15_000);
  assert.deepEqual(talk.complaints, []);
});

test("two tabs are two conversations", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const [one, two] = [await someone.open({ carrier: "websocket" }), await someone.open({ carrier: "websocket" })];
  await one.page.bringToFront();
  await one.begin();
  await two.page.bringToFront();
  await two.begin();
  await one.type("What is six times six?");
  await two.type("What is three times three?");
  await one.page.bringToFront();
  await one.line("relay", /36/);
  await two.page.bringToFront();
  await two.line("relay", /\b9\b/);
  assert.equal((await one.lines()).length, 2);
  assert.equal((await two.lines()).length, 2);
  await two.press("End");
  await one.page.bringToFront();
  await one.type("What did I just ask?");
  await one.line("relay", /six times six/i);
});

for (const [name, context] of [
  ["phone-light", { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true }],
  ["phone-dark", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "dark", hasTouch: true, isMobile: true }],
  ["desk-dark", { viewport: { width: 1440, height: 900 }, colorScheme: "dark" }],
  ["calm", { viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" }],
]) {
  test(`it looks well and is open to everybody: ${name}`, { timeout: 60_000 }, async (t) => {
    const someone = await person(relay, [], { context });
    t.after(() => someone.close());
    const talk = await someone.open({ carrier: "websocket" });
    await talk.page.getByRole("button", { name: "Talk" }).waitFor();
    await talk.page.getByTestId("engines").waitFor({ state: "attached" });
    await talk.shot(`${name}-idle`);
    assert.deepEqual(await faults(talk.page), []);
    for (const tab of ["Conversations", "Documents"]) {
      if (tab === "Conversations") await talk.press("Library");
      else await talk.page.getByRole("tab", { name: tab }).click();
      await talk.shot(`${name}-${tab.toLowerCase()}`);
      assert.deepEqual(await faults(talk.page), []);
    }
    await talk.page.keyboard.press("Escape");
    await talk.begin();
    await talk.type("What can you do?");
    await talk.line("relay", /convert units/, /live/);
    await talk.shot(`${name}-speaking`);
    assert.deepEqual(await faults(talk.page), []);
    const wide = await talk.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
  });
}

test("everything can be reached and done by keyboard", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, []);
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await talk.page.getByRole("button", { name: "Talk" }).waitFor();
  const focused = () => talk.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent);
  const met = new Set();
  for (let step = 0; step < 20; step++) {
    await talk.page.keyboard.press("Tab");
    met.add(await focused());
  }
  for (const name of ["Settings", "Talk", "Type instead of speaking", "Conversation"]) assert.ok(met.has(name), `${name} among ${[...met].join(", ")}`);
  await talk.page.getByRole("button", { name: "Talk" }).focus();
  await talk.page.keyboard.press("Enter");
  await talk.state(/^Live/);
  await talk.page.keyboard.press("Enter");
  await talk.state(/Ready/);
});
