// Whole spoken conversations with an interruption, by either line: recorded people speak, the embedded engines answer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { person, Relay } from "./stage.mjs";

let relay;
before(async () => (relay = await Relay.start()));
after(() => relay.stop());

/**
 * A question; a sentence that is answered at length, for 20 seconds and more; and somebody who does not wait for the end of that.
 * The silences leave a busy machine its time.
 */
const LINES = [[2.5, "question"], [8, "austen-0870"], [9, "cards-005"]];
/** How the long answer ends. */
const END = /in this conversation/;

for (const [carrier, live] of [["websocket", /WebSocket/], ["webrtc", /WebRTC/]]) {
  test(`a conversation with an interruption, by ${carrier}`, { timeout: 120_000 }, async (t) => {
    const someone = await person(relay, LINES);
    t.after(() => someone.close());
    const talk = await someone.open({ carrier });
    await talk.begin();
    await talk.state(live);

    await talk.floor("you");
    await talk.floor("relay");
    await talk.line("relay", /^12 times 7 is 84\.$/);
    await talk.line("you", /what is 12 times 7/i);

    // Partial words show while the person speaks.
    const partial = await talk.line("you", /John Dashwood/, /live/);
    assert.ok(partial.text.length < 90, `partial text came in one piece: ${partial.text}`);
    await talk.line("you", /to do for them/);

    // The reply comes word by word: part of it shows while the rest is still to be heard.
    const speaking = await talk.line("relay", /^You said: And/, /live/);
    await talk.shot(`${carrier}-speaking`);
    assert.doesNotMatch(speaking.text, END);

    const cut = await talk.line("relay", /^You said: And .*interrupted$/, /cut/);
    await talk.shot(`${carrier}-interrupted`);
    assert.doesNotMatch(cut.text, END, "more is shown than can have been heard");
    await talk.line("you", /8 of spades/i);
    await talk.line("relay", /8 of spades/i, /live|done/);

    // Every stage of the turn was measured, and in the order in which it happened.
    const figures = await talk.page.getByTestId("waterfall").locator(".figure").allInnerTexts();
    const ms = figures.map((figure) => Number.parseInt(figure, 10));
    assert.equal(ms.length, 4, figures.join());
    assert.equal(ms[0], 500);
    assert.ok(ms[1] > 500 && ms[3] >= ms[2], figures.join());
    assert.match(await talk.page.getByTestId("quality").innerText(), /Round trip\s+[\d.]+ ms[^]*MOS, estimated\s+4\.\d, (excellent|good)/);
    assert.match(await talk.page.getByTestId("engines").innerText(), /whisper-base[^]*agent[^]*hibari/);
    await talk.shot(`${carrier}-conversation`);
    await talk.press("End");
    await talk.state(/Ready/);
    assert.deepEqual(talk.complaints, []);
  });
}
