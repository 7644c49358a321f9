"""openai-agents, which parses every event strictly."""

import asyncio

import pytest
import websockets
from agents.realtime import RealtimeModelSendRawMessage, RealtimeRunner
from speech import LONG, MODEL, QUESTION, SAMPLES, pcm24k, silence


async def events(session, last, seconds=60):
    """All events up to the first for which `last` holds."""
    seen = []
    async with asyncio.timeout(seconds):
        async for event in session:
            seen.append(event)
            assert event.type != "error", event
            if last(event):
                return seen


def runner(guide, url: str, key: str, **settings) -> tuple[RealtimeRunner, dict]:
    """The agent of the guide, and how it finds the relay, with other settings."""
    config = {
        "url": url.replace("http", "ws", 1) + f"/realtime?model={MODEL}",
        "api_key": key,
        "initial_model_settings": {"model_name": MODEL} | settings,
    }
    return RealtimeRunner(guide("openai_agents.py")["agent"]), config


def test_a_spoken_question_is_answered_and_kept_in_history(guide, url, key):
    async def story():
        relay, config = runner(guide, url, key, input_audio_transcription={"model": "whisper-1"})
        async with await relay.run(model_config=config) as session:
            sound = pcm24k(QUESTION) + silence(2)

            async def speak():
                for start in range(0, len(sound), 4800):
                    await session.send_audio(sound[start : start + 4800])
                    await asyncio.sleep(0.1)

            speaking = asyncio.create_task(speak())
            seen = await events(session, lambda event: event.type == "audio_end")
            await speaking
            assert sum(len(event.audio.data) for event in seen if event.type == "audio") > 24_000

    asyncio.run(story())


def test_words_that_come_before_their_item_do_not_confuse_the_history(guide, url, key):
    async def story():
        heard = {"model": "whisper-1", "language": "en"}
        patient = {"type": "server_vad", "silence_duration_ms": 1500}
        relay, config = runner(guide, url, key, input_audio_transcription=heard, turn_detection=patient)
        async with await relay.run(model_config=config) as session:
            sound = pcm24k(SAMPLES / "austen-0870.wav") + silence(2)

            async def speak():
                for start in range(0, len(sound), 960):
                    await session.send_audio(sound[start : start + 960])
                    await asyncio.sleep(0.02)

            speaking = asyncio.create_task(speak())
            seen = await events(session, lambda event: event.type == "audio")
            await speaking
            raw = [
                e.data.data["type"] for e in seen if e.type == "raw_model_event" and e.data.type == "raw_server_event"
            ]
            words = raw.index("conversation.item.input_audio_transcription.delta")
            assert words < raw.index("conversation.item.added"), raw
            added = [e.item.role for e in seen if e.type == "history_added"]
            assert added[:2] == ["user", "assistant"], added

    asyncio.run(story())


def test_an_interruption_is_seen_and_the_next_turn_is_answered(guide, url, key):
    async def story():
        relay, config = runner(guide, url, key)
        async with await relay.run(model_config=config) as session:
            await session.send_message(LONG)
            await events(session, lambda event: event.type == "audio")
            sound = pcm24k(QUESTION) + silence(2)

            async def speak():
                for start in range(0, len(sound), 960):
                    await session.send_audio(sound[start : start + 960])
                    await asyncio.sleep(0.02)

            speaking = asyncio.create_task(speak())
            await events(session, lambda event: event.type == "audio_interrupted")
            await events(session, lambda event: event.type == "audio")
            await speaking

    asyncio.run(story())


def test_a_tool_is_called_by_voice_and_its_result_spoken(guide, url, key, weather):
    async def story():
        relay, config = runner(guide, url, key)
        async with await relay.run(model_config=config) as session:

            async def speak():
                sound = weather + silence(2)
                for start in range(0, len(sound), 960):
                    await session.send_audio(sound[start : start + 960])
                    await asyncio.sleep(0.02)

            speaking = asyncio.create_task(speak())
            seen = await events(session, lambda event: event.type == "tool_end")
            assert "Paris" in str(seen[-1].output)
            await events(session, lambda event: event.type == "audio_end")
            await speaking

    asyncio.run(story())


def test_a_cut_raises_and_a_new_session_takes_the_history(guide, url, key, wire):
    async def story():
        relay, config = runner(guide, url, key)
        async with await relay.run(model_config=config) as session:
            await session.send_message(LONG)
            await events(session, lambda event: event.type == "audio")
            wire.cut()
            with pytest.raises(websockets.exceptions.ConnectionClosedError):
                await events(session, lambda event: False)
        async with await relay.run(model_config=config) as session:
            said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "My name is Ada."}]}
            message = {"type": "conversation.item.create", "other_data": {"item": said}}
            await session.model.send_event(RealtimeModelSendRawMessage(message=message))
            await session.send_message("What is my name?")
            seen = await events(session, lambda event: event.type == "agent_end")
            told = [event.history for event in seen if event.type == "history_updated"][-1]
            assert "Ada" in told[-1].content[0].transcript, told

    asyncio.run(story())


def test_the_program_of_the_guide_talks(program):
    user, assistant = program("openai_agents.py", QUESTION).splitlines()
    assert user.startswith("user: ") and "12 times 7" in user
    assert assistant.startswith("assistant: ") and "84" in assistant
