// What goes wrong: no permission, a microphone that is pulled out, a relay that dies in mid-sentence.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { person, Relay } from "./stage.mjs";

let relay;
before(async () => (relay = await Relay.start()));
after(() => relay.stop());

test("who keeps the microphone back is told how to give it, and can type meanwhile", { timeout: 60_000 }, async (t) => {
  const someone = await person(relay, [], { refuses: true });
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  const devtools = await someone.context.newCDPSession(talk.page);
  await devtools.send("Browser.setPermission", { permission: { name: "microphone" }, setting: "denied", origin: relay.url });
  await talk.begin();
  assert.match(await talk.page.getByTestId("notice").innerText(), /microphone is blocked.*you can type/s);
  await talk.shot("denied");
  await talk.type("What is six times seven?");
  await talk.line("relay", /42/);
  assert.deepEqual(talk.complaints, []);
});

test("when the microphone is pulled out another one listens, and without one people type", { timeout: 60_000 }, async (t) => {
  // Chromium's fake devices cannot be pulled out: the page is told so as the browser would tell it.
  const prepare = (page) =>
    page.addInitScript(() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wishes) => {
        if (window.noneLeft) throw new DOMException("", "NotFoundError");
        return (window.plugged = await ask(wishes));
      };
      window.pull = () => {
        const [track] = window.plugged.getAudioTracks();
        track.stop();
        track.dispatchEvent(new Event("ended"));
      };
    });
  const someone = await person(relay, [[2, "question"]], { prepare });
  t.after(() => someone.close());
  const talk = await someone.open({ carrier: "websocket" });
  await talk.begin();
  await talk.page.evaluate(() => window.pull());
  await talk.until(async () => /another one listens/.test(await talk.page.getByTestId("notice").innerText()), "another one", 10_000);
  // The other device says the same lines from their beginning: it is heard.
  await talk.line("you", /12 times 7/i);
  await talk.line("relay", /84/);
  await talk.page.evaluate(() => {
    window.noneLeft = true;
    window.pull();
  });
  await talk.until(async () => /no microphone here/.test(await talk.page.getByTestId("notice").innerText()), "none", 10_000);
  await talk.type("What is two plus two?");
  await talk.line("relay", /\b4\b/);
  await talk.page.evaluate(() => (window.noneLeft = false));
  await talk.press("Try the microphone again");
  await talk.until(async () => (await talk.lines()).filter(({ text }) => /12 times 7/i.test(text)).length >= 3, "it is heard again", 20_000);
  assert.deepEqual(talk.complaints, []);
});

for (const carrier of ["websocket", "webrtc"]) {
  test(`a relay that is started again goes on with the same conversation, by ${carrier}`, { timeout: 120_000 }, async (t) => {
    const someone = await person(relay, [[2, "question"]]);
    t.after(() => someone.close());
    const talk = await someone.open({ carrier });
    await talk.begin();
    await talk.line("relay", /84/);
    await talk.type("Count to thirty.");
    await talk.line("relay", /^One, two, three/, /live/);
    await relay.kill();
    // Over WebRTC nobody says goodbye: that packets stay away is noticed after a while.
    await talk.state(/Reconnecting/, 40_000);
    await talk.shot(`${carrier}-reconnecting`);
    const cut = await talk.line("relay", /^One, two, three/, /cut/);
    assert.doesNotMatch(cut.text, /thirty\b/, "what was not heard is not there");
    await relay.start();
    await talk.state(/^Live/, 40_000);
    // It is a new session for the relay, and yet it knows what was said before.
    await talk.type("What did I ask first?");
    await talk.line("relay", /first thing you asked was.*12 times 7/i);
    await talk.shot(`${carrier}-reconnected`);
    assert.equal((await talk.lines()).filter(({ text }) => /84/.test(text)).length, 1, "nothing is there twice");
    assert.deepEqual(talk.complaints, []);
  });
}

test("where WebRTC does not connect a WebSocket takes its place", { timeout: 60_000 }, async (t) => {
  // An answer that leads nowhere, as behind a firewall that lets no UDP through.
  const prepare = (page) => page.route("**/v1/realtime/calls", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/^a=candidate.*\r\n/gm, "") });
  });
  const someone = await person(relay, [[8, "question"]], { prepare });
  t.after(() => someone.close());
  const talk = await someone.open();
  await talk.begin();
  await talk.state(/WebSocket/);
  await talk.line("relay", /84/);
  assert.deepEqual(talk.complaints, []);
});
