"""The official Python SDK, pointed at the relay by its base URL."""

import asyncio
import base64
import math

import pytest
from sdk import say, until
from speech import LONG, MODEL, QUESTION, SAMPLES, pcm24k, silence, transcripts, word_errors, words


def connected(client, **query):
    return client.realtime.connect(**({"model": MODEL} | query))


async def ask(connection, text: str, **response):
    await connection.conversation.item.create(
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    )
    await connection.response.create(response=response)


def test_a_spoken_question_is_answered_aloud(client):
    async def story():
        async with connected(client) as connection:
            created = await until(connection, "session.created")
            assert created.session.type == "realtime" and created.session.id.startswith("sess_")
            await connection.session.update(
                session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
            )
            speaking = asyncio.create_task(say(connection, pcm24k(QUESTION) + silence(2)))
            seen = []
            done = await until(connection, "response.done", seen=seen)
            await speaking
            assert done.response.status == "completed"
            order = [event.type for event in seen]
            expected = [
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                "response.created",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_audio.done",
                "response.output_audio_transcript.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.done",
            ]
            places = [order.index(kind) for kind in expected]
            assert places == sorted(places), order
            audio = b"".join(base64.b64decode(e.delta) for e in seen if e.type == "response.output_audio.delta")
            assert len(audio) > 24_000, "at least half a second of speech"
            spoken = "".join(e.delta for e in seen if e.type == "response.output_audio_transcript.delta")
            finished = next(e for e in seen if e.type == "response.output_audio_transcript.done")
            assert spoken == finished.transcript != ""
            assert "84" in spoken or "eighty" in spoken.lower(), spoken
            assert done.response.usage.total_tokens > 0

    asyncio.run(story())


def test_words_come_while_the_person_still_speaks(client):
    async def story():
        async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
            await until(connection, "session.created")
            detection = {"type": "server_vad", "silence_duration_ms": 1500}
            heard = {"transcription": {"model": "whisper-1", "language": "en"}, "turn_detection": detection}
            await connection.session.update(session={"type": "transcription", "audio": {"input": heard}})
            sound = pcm24k(SAMPLES / "austen-0870.wav") + silence(2.5)
            speaking = asyncio.create_task(say(connection, sound))
            seen = []
            whole = await until(connection, "conversation.item.input_audio_transcription.completed", seen=seen)
            await speaking
            order = [event.type for event in seen]
            deltas = [e for e in seen if e.type == "conversation.item.input_audio_transcription.delta"]
            assert order[:2].count("input_audio_buffer.speech_started") == 1, order
            assert order.index(deltas[0].type) < order.index("input_audio_buffer.speech_stopped"), order
            assert {e.item_id for e in deltas} == {whole.item_id}
            assert whole.transcript.startswith("".join(e.delta for e in deltas))

    asyncio.run(story())


def test_speaking_over_the_reply_stops_it_and_the_next_words_are_answered(client):
    async def story():
        async with connected(client) as connection:
            await until(connection, "session.created")
            await ask(connection, LONG)
            await until(connection, "response.output_audio.delta")
            speaking = asyncio.create_task(say(connection, pcm24k(QUESTION) + silence(2)))
            cut = await until(connection, "response.done")
            assert cut.response.status == "cancelled"
            assert cut.response.status_details.reason == "turn_detected"
            seen = []
            answer = await until(connection, "response.done", seen=seen)
            await speaking
            assert answer.response.status == "completed"
            assert not any(getattr(e, "response_id", None) == cut.response.id for e in seen)

    asyncio.run(story())


def hum(seconds: float) -> bytes:
    """ "Mm": harmonics of a voice through the formants of a closed mouth."""
    out, phase = bytearray(), 0.0
    for at in range(int(24_000 * seconds)):
        time = at / 24_000
        pitch = 120 * (1 + 0.2 * time)
        phase += math.tau * pitch / 24_000
        sound = 0.0
        for k in range(1, 40):
            gain = 1 / k
            for place, width in ((260, 60), (1050, 150), (2200, 200), (2900, 250)):
                gain *= place**2 / math.hypot(place**2 - (k * pitch) ** 2, width * k * pitch)
            sound += gain * math.sin(k * phase)
        envelope = max(0, min(1, time / 0.03, (seconds - time) / 0.05))
        out += int(1500 * envelope * sound).to_bytes(2, "little", signed=True)
    return bytes(out)


def test_a_hum_over_the_reply_does_not_stop_it(client):
    async def story():
        async with connected(client) as connection:
            await until(connection, "session.created")
            await ask(connection, LONG)
            await until(connection, "response.output_audio.delta")
            await say(connection, silence(0.5) + hum(0.2) + silence(0.06) + hum(0.3) + silence(3))
            # What the relay made of the hum has been sent before it answers this.
            await connection.input_audio_buffer.clear()
            seen = []
            await until(connection, "input_audio_buffer.cleared", seen=seen)
            assert not any(e.type.startswith("input_audio_buffer.speech") for e in seen)
            assert not any(e.type == "response.done" and e.response.status != "completed" for e in seen)

    asyncio.run(story())


def test_a_required_tool_is_called_and_its_result_spoken(client):
    weather = {
        "type": "function",
        "name": "get_weather",
        "description": "Current weather at a place",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }

    async def story():
        async with connected(client) as connection:
            await until(connection, "session.created")
            await connection.session.update(session={"type": "realtime", "tools": [weather]})
            await ask(connection, "What is the weather in Paris?", tool_choice="required")
            called = await until(connection, "response.function_call_arguments.done")
            assert called.name == "get_weather" and '"Paris"' in called.arguments
            await until(connection, "response.done")
            await connection.conversation.item.create(
                item={"type": "function_call_output", "call_id": called.call_id, "output": '{"sky": "sunny"}'}
            )
            await connection.response.create(response={"output_modalities": ["text"]})
            said = await until(connection, "response.output_text.done")
            assert "sunny" in said.text

    asyncio.run(story())


def test_text_alone_when_asked_for(client):
    async def story():
        async with connected(client) as connection:
            await until(connection, "session.created")
            await ask(connection, "What is two plus two?", output_modalities=["text"], metadata={"k": "v"})
            seen = []
            done = await until(connection, "response.done", seen=seen)
            assert done.response.metadata == {"k": "v"}
            assert not any("audio" in event.type for event in seen)
            text = next(e.text for e in seen if e.type == "response.output_text.done")
            assert "4" in text or "four" in text.lower()

    asyncio.run(story())


def test_manual_turns_commit_and_create_back_to_back(client):
    async def story():
        async with connected(client) as connection:
            await until(connection, "session.created")
            await connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
            await say(connection, pcm24k(QUESTION), pace=20)
            await connection.input_audio_buffer.commit()
            await connection.response.create()
            done = await until(connection, "response.done")
            assert done.response.status == "completed"

    asyncio.run(story())


@pytest.mark.parametrize("kind, most", [("austen", 3), ("cards", 5)])
def test_transcription_sessions_understand_recorded_people(client, kind, most):
    """Errors allowed: what the model makes of these recordings in any runtime, plus one word."""

    async def hear(path) -> str:
        async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
            created = await until(connection, "session.created")
            assert created.session.type == "transcription"
            await connection.session.update(
                session={
                    "type": "transcription",
                    "audio": {
                        "input": {"transcription": {"model": "whisper-1", "language": "en"}, "turn_detection": None}
                    },
                }
            )
            await say(connection, pcm24k(path), pace=50)
            await connection.input_audio_buffer.commit()
            seen = []
            done = await until(connection, "conversation.item.input_audio_transcription.completed", seen=seen)
            deltas = "".join(e.delta for e in seen if e.type.endswith("transcription.delta"))
            assert done.transcript.startswith(deltas)
            return done.transcript

    async def story():
        errors = 0
        for name, text in transcripts().items():
            if name.startswith(kind):
                errors += word_errors(words(text), words(await hear(SAMPLES / name)))
        assert errors <= most, f"{errors} word errors"

    asyncio.run(story())


def test_the_program_of_the_guide_talks(program):
    user, assistant = program("openai_talk.py", QUESTION).splitlines()
    assert user.startswith("user: ") and "12 times 7" in user
    assert assistant.startswith("assistant: ") and "84" in assistant


def test_after_a_cut_the_sdk_dials_again_and_the_conversation_goes_on(client, wire, guide):
    talk = guide("openai_talk.py")

    async def story():
        async with client.realtime.connect(model=MODEL, on_reconnecting=lambda _: None) as connection:
            await asyncio.gather(talk["listen"](connection), talk["speak"](connection, QUESTION))
            await ask(connection, LONG)
            await until(connection, "response.output_audio.delta")
            wire.cut()
            listening = asyncio.create_task(talk["listen"](connection))
            while "session.updated" not in {event["type"] for event in wire.received[-1]} or wire.dialled < 2:
                await asyncio.sleep(0.05)
            await asyncio.gather(listening, talk["speak"](connection, QUESTION))
        said = [item["content"][0]["text"] for item in talk["history"]]
        assert len(said) == 4 and "84" in said[1] and "84" in said[3], said
        again = [e["item"]["role"] for e in wire.received[1] if e["type"] == "conversation.item.added"]
        assert again == ["user", "assistant", "user", "assistant"]

    asyncio.run(story())
