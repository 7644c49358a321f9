"""aiortc, a WebRTC stack of its own, and `client.realtime.calls` of the official SDK."""

import asyncio
import wave

import aiohttp
import openai
import pytest
from call import Call
from speech import LONG, QUESTION, pcm24k, word_errors, words

SETTINGS = {
    "type": "realtime",
    "instructions": "Answer briefly.",
    "audio": {"input": {"transcription": {"model": "whisper-1"}}},
}


def dialled_by(client: openai.AsyncOpenAI, **call):
    """Dials as the official SDK does: raw SDP, or a form when `session` comes with it."""

    async def dial(offer: str) -> tuple[str, str]:
        answer = await client.realtime.calls.create(sdp=offer, **call)
        return answer.text, answer.response.headers["location"].rsplit("/", 1)[-1]

    return dial


async def heard(client, call: Call, since: float = 0.0) -> str:
    """The words in the sound that came."""
    text = await client.audio.transcriptions.create(model="whisper-1", file=("heard.wav", call.ears.wav(since)))
    return text.text


def test_the_program_of_the_guide_calls(program, client, tmp_path):
    user, assistant = program("aiortc_call.py", QUESTION).splitlines()
    assert user.startswith("user: ") and "12 times 7" in user
    assert assistant.startswith("assistant: ") and "84" in assistant
    with wave.open(str(tmp_path / "reply.wav")) as file:
        assert file.getnframes() > file.getframerate()


def test_a_spoken_question_is_answered_aloud(url, key, client):
    async def dial(offer: str) -> tuple[str, str]:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{url}/realtime/calls?model=gpt-realtime", data=offer, headers=headers) as answer,
        ):
            assert answer.status == 201, await answer.text()
            assert answer.content_type == "application/sdp"
            place = answer.headers["Location"]
            assert place.startswith("/v1/realtime/calls/rtc_")
            return await answer.text(), place.rsplit("/", 1)[-1]

    async def story():
        async with Call(dial) as call:
            await call.until("session.created")
            call.send(type="session.update", session=SETTINGS)
            await call.until("session.updated")
            call.microphone.open.say(pcm24k(QUESTION))
            _, said = await call.until("conversation.item.input_audio_transcription.completed")
            assert word_errors(words("hello what is 12 times seven"), words(said["transcript"])) <= 2, said
            began, _ = await call.until("output_audio_buffer.started")
            ended, _ = await call.until("output_audio_buffer.stopped")
            assert call.kinds().index("response.done") < call.kinds().index("output_audio_buffer.stopped")
            transcript = next(
                e["transcript"] for _, e in call.told if e["type"] == "response.output_audio_transcript.done"
            )
            await asyncio.sleep(0.5)
            loud = call.ears.loud()
            # What sounds lies between the two events, give or take the jitter buffer of aiortc.
            assert loud[0] > began - 0.1 and loud[-1] < ended + 0.5
            assert 0.5 < 0.02 * len(loud) <= ended - began
            assert word_errors(words(transcript), words(await heard(client, call))) <= 1

    asyncio.run(story())


def test_speaking_over_the_reply_stops_it_where_it_was_heard(client):
    async def story():
        async with Call(dialled_by(client, session=SETTINGS)) as call:
            _, created = await call.until("session.created")
            assert created["session"]["instructions"] == "Answer briefly."
            call.ask(LONG)
            _, started = await call.until("output_audio_buffer.started")
            await asyncio.sleep(2)
            call.microphone.open.say(pcm24k(QUESTION))
            await call.until("input_audio_buffer.speech_started")
            cleared, event = await call.until("output_audio_buffer.cleared")
            assert event["response_id"] == started["response_id"]
            _, truncated = await call.until("conversation.item.truncated")
            # The relay held its voice at the first sound, before it was clear that somebody wants the floor.
            loud = call.ears.loud(until=cleared + 0.3)
            assert abs(truncated["audio_end_ms"] / 1000 - (loud[-1] - loud[0])) < 0.5
            restarted, _ = await call.until("output_audio_buffer.started")
            # Silence between the two replies, but for what aiortc had in its jitter buffer.
            assert call.ears.loud(cleared + 0.3, restarted) == []
            await call.until("output_audio_buffer.stopped")
            await asyncio.sleep(0.5)
            assert "84" in await heard(client, call, since=cleared + 0.3)

    asyncio.run(story())


def test_a_tool_is_called_by_voice_and_its_result_spoken(client, weather):
    tool = {
        "type": "function",
        "name": "get_weather",
        "description": "Current weather at a place",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }

    async def story():
        async with Call(dialled_by(client, session=SETTINGS | {"tools": [tool]})) as call:
            await call.until("session.created")
            call.microphone.open.say(weather)
            _, called = await call.until("response.function_call_arguments.done")
            assert '"Paris"' in called["arguments"]
            await call.until("response.done")
            item = {"type": "function_call_output", "call_id": called["call_id"], "output": "It is sunny in Paris."}
            call.send(type="conversation.item.create", item=item)
            call.send(type="response.create")
            await call.until("output_audio_buffer.stopped")
            await asyncio.sleep(0.5)
            assert "sunny" in (await heard(client, call)).lower()

    asyncio.run(story())


def test_an_offer_that_is_none_is_refused_with_a_reason(client):
    async def story():
        with pytest.raises(openai.BadRequestError) as refused:
            await client.realtime.calls.create(sdp="v=0 and nothing else")
        assert refused.value.body["message"]

    asyncio.run(story())


def test_hanging_up_ends_the_call(client):
    async def story():
        async with Call(dialled_by(client, session=SETTINGS)) as call:
            await call.until("session.created")
            await client.realtime.calls.hangup(call.id)
            await asyncio.wait_for(call.closed.wait(), 5)
            with pytest.raises(openai.NotFoundError):
                await client.realtime.calls.hangup(call.id)

    asyncio.run(story())


def test_after_a_lost_call_a_new_one_takes_the_history(client):
    async def story():
        async with Call(dialled_by(client, session=SETTINGS)) as call:
            await call.until("session.created")
            await call.peer.sctp.transport.transport.stop()  # gone without a word: no close_notify, no STUN
        async with Call(dialled_by(client, session=SETTINGS)) as call:
            await call.until("session.created")
            content = [{"type": "input_text", "text": "My name is Ada."}]
            call.send(type="conversation.item.create", item={"type": "message", "role": "user", "content": content})
            call.ask("What is my name?")
            _, said = await call.until("response.output_audio_transcript.done")
            assert "Ada" in said["transcript"]

    asyncio.run(story())
