"""openai-agents, which parses every event strictly."""

import asyncio

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner
from conftest import MODEL, SAMPLES, pcm24k, silence


@function_tool
def get_weather(city: str) -> str:
    """Current weather at a place."""
    return f"It is sunny in {city}."


async def events(session, last, seconds=60):
    """All events up to the first for which `last` holds."""
    seen = []
    async with asyncio.timeout(seconds):
        async for event in session:
            seen.append(event)
            assert event.type != "error", event
            if last(event):
                return seen


def runner(url: str, key: str, **settings) -> tuple[RealtimeRunner, dict]:
    agent = RealtimeAgent(name="relay", instructions="Answer briefly.", tools=[get_weather])
    config = {
        "url": url.replace("http", "ws", 1) + f"/realtime?model={MODEL}",
        "api_key": key,
        "initial_model_settings": {"model_name": MODEL} | settings,
    }
    return RealtimeRunner(agent), config


def test_a_spoken_question_is_answered_and_kept_in_history(url, key):
    async def story():
        relay, config = runner(url, key, input_audio_transcription={"model": "whisper-1"})
        async with await relay.run(model_config=config) as session:
            sound = pcm24k(SAMPLES / "question.wav") + silence(2)

            async def speak():
                for start in range(0, len(sound), 4800):
                    await session.send_audio(sound[start : start + 4800])
                    await asyncio.sleep(0.1)

            speaking = asyncio.create_task(speak())
            seen = await events(session, lambda event: event.type == "audio_end")
            await speaking
            assert sum(len(event.audio.data) for event in seen if event.type == "audio") > 24_000

    asyncio.run(story())


def test_words_that_come_before_their_item_do_not_confuse_the_history(url, key):
    async def story():
        heard = {"model": "whisper-1", "language": "en"}
        patient = {"type": "server_vad", "silence_duration_ms": 1500}
        relay, config = runner(url, key, input_audio_transcription=heard, turn_detection=patient)
        async with await relay.run(model_config=config) as session:
            sound = pcm24k(SAMPLES / "austen-0870.wav") + silence(2)

            async def speak():
                for start in range(0, len(sound), 960):
                    await session.send_audio(sound[start : start + 960])
                    await asyncio.sleep(0.02)

            speaking = asyncio.create_task(speak())
            seen = await events(session, lambda event: event.type == "audio")
            await speaking
            raw = [e.data.data["type"] for e in seen if e.type == "raw_model_event" and e.data.type == "raw_server_event"]
            words = raw.index("conversation.item.input_audio_transcription.delta")
            assert words < raw.index("conversation.item.added"), raw
            added = [e.item.role for e in seen if e.type == "history_added"]
            assert added[:2] == ["user", "assistant"], added

    asyncio.run(story())


def test_an_interruption_is_seen_and_the_next_turn_is_answered(url, key):
    async def story():
        relay, config = runner(url, key)
        async with await relay.run(model_config=config) as session:
            await session.send_message("say " + "the quick brown fox jumps over the lazy dog, and " * 12)
            await events(session, lambda event: event.type == "audio")
            sound = pcm24k(SAMPLES / "question.wav") + silence(2)

            async def speak():
                for start in range(0, len(sound), 960):
                    await session.send_audio(sound[start : start + 960])
                    await asyncio.sleep(0.02)

            speaking = asyncio.create_task(speak())
            await events(session, lambda event: event.type == "audio_interrupted")
            await events(session, lambda event: event.type == "audio")
            await speaking

    asyncio.run(story())


def test_a_tool_is_called_and_its_result_spoken(url, key):
    async def story():
        relay, config = runner(url, key, tool_choice="required")
        async with await relay.run(model_config=config) as session:
            await session.send_message("What is the weather in Paris?")
            seen = await events(session, lambda event: event.type == "tool_end")
            assert "Paris" in str(seen[-1].output)

    asyncio.run(story())
