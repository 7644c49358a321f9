"""pipecat-ai: its OpenAI realtime service in a whole bot, and its realtime speech-to-text service."""

import asyncio
import contextlib

import pytest
from device import Device
from pipecat.frames.frames import LLMRunFrame, TranscriptionFrame, VADUserStoppedSpeakingFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService
from pipecat.workers.runner import WorkerRunner
from speech import LONG, QUESTION, SAMPLES, pcm24k, transcripts, word_errors, words


@contextlib.asynccontextmanager
async def running(worker):
    """Runs a pipeline and collects the errors it tells."""
    errors = []

    @worker.event_handler("on_pipeline_error")
    async def keep(_, frame):
        errors.append(frame.error)

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    try:
        yield errors
    finally:
        await worker.cancel()
        await running


@contextlib.asynccontextmanager
async def talking(guide, *messages, context=None):
    """The bot of the guide at a device of ours, in a conversation that begins, or goes on, with `messages`."""
    bot, device = guide("pipecat_bot.py"), Device()
    context = context or LLMContext(list(messages), tools=[bot["get_weather"]])
    worker = bot["talk"](device, context)
    async with running(worker) as errors:
        await worker.queue_frames([LLMRunFrame()])
        yield context, device, errors


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def replies(context: LLMContext) -> list[str]:
    return [m["content"] for m in context.messages if m["role"] == "assistant" and m.get("content")]


async def reply(context: LLMContext, holds: str, seconds: float = 60) -> None:
    """Waits until a reply in the history holds these words."""
    async with asyncio.timeout(seconds):
        while not any(holds in text for text in replies(context)):
            await asyncio.sleep(0.05)


def test_a_spoken_question_is_answered_aloud(guide):
    async def story():
        async with talking(guide) as (context, device, errors):
            await asyncio.wait_for(device.loudspeaker.playing.wait(), 60)  # the bot speaks first
            device.microphone.open.say(pcm24k(QUESTION))
            await reply(context, "84")
            assert any(m["role"] == "user" and "12 times 7" in m["content"] for m in context.messages)
            assert device.loudspeaker.heard > 1
            assert errors == []

    asyncio.run(story())


def test_speaking_over_the_reply_stops_it_and_the_next_words_are_answered(guide, wire):
    async def story():
        async with talking(guide, user(LONG)) as (context, device, errors):
            await asyncio.wait_for(device.loudspeaker.playing.wait(), 60)
            device.microphone.open.say(pcm24k(QUESTION))
            await reply(context, "84")
            assert device.loudspeaker.interruptions == 1
            assert device.loudspeaker.heard < 15
            assert "conversation.item.truncated" in wire.kinds
            assert errors == []

    asyncio.run(story())


def test_a_tool_is_called_by_voice_and_its_result_spoken(guide, weather):
    async def story():
        async with talking(guide) as (context, device, errors):
            await asyncio.wait_for(device.loudspeaker.playing.wait(), 60)
            device.microphone.open.say(weather)
            await reply(context, "sunny in Paris")
            assert errors == []

    asyncio.run(story())


def test_after_a_cut_a_new_pipeline_goes_on_with_the_conversation(guide, wire):
    async def story():
        async with talking(guide, user("My name is Ada.")) as (context, device, errors):
            await reply(context, "Ada")
            wire.cut()
            async with asyncio.timeout(10):
                while not errors:  # Pipecat takes a lost connection as fatal and tells the application
                    await asyncio.sleep(0.05)
        async with talking(guide, context=context) as (context, device, errors):
            await asyncio.wait_for(device.loudspeaker.playing.wait(), 60)
            device.microphone.open.say(pcm24k(QUESTION))
            await reply(context, "84")
            assert errors == [] and wire.dialled == 2
            replayed = next(e["item"] for e in wire.received[1] if e["type"] == "conversation.item.added")
            assert "My name is Ada." in replayed["content"][0]["text"]

    asyncio.run(story())


def test_an_item_is_retrieved_and_a_wrong_id_does_no_harm(url, key):
    async def story():
        device, context = Device(), LLMContext([user("What is two plus two?")])
        model = OpenAIRealtimeLLMService(api_key=key, base_url=url.replace("http", "ws") + "/realtime")
        items = asyncio.Queue()
        model.add_event_handler("on_conversation_item_created", lambda _, id, item: items.put_nowait(id))
        asking, answering = LLMContextAggregatorPair(context)
        worker = PipelineWorker(Pipeline([device.input(), asking, model, device.output(), answering]))
        async with running(worker) as errors:
            await worker.queue_frames([LLMRunFrame()])
            await reply(context, "4")
            item = await model.retrieve_conversation_item(items.get_nowait())
            assert item.content[0].text == "What is two plus two?"
            with pytest.raises(Exception, match="nothing"):
                await model.retrieve_conversation_item("nothing")
            device.microphone.open.say(pcm24k(QUESTION))
            await reply(context, "84")
            assert errors == []

    asyncio.run(story())


async def next_transcript(heard: asyncio.Queue) -> str:
    return (await asyncio.wait_for(heard.get(), 60)).text


@contextlib.asynccontextmanager
async def listening(worker):
    """Runs a pipeline and queues the transcripts that reach its end."""
    heard = asyncio.Queue()
    worker.set_reached_downstream_filter((TranscriptionFrame,))

    @worker.event_handler("on_frame_reached_downstream")
    async def keep(_, frame):
        heard.put_nowait(frame)

    async with running(worker) as errors:
        yield heard, errors


def test_speech_to_text_understands_a_person_and_dials_again_after_a_cut(guide, wire):
    name = "austen-0880.wav"

    async def story():
        device = Device()
        async with listening(guide("pipecat_stt.py")["listen"](device)) as (heard, _):
            for dialled in (1, 2):
                device.microphone.open.say(pcm24k(SAMPLES / name))
                said = await next_transcript(heard)
                assert word_errors(words(transcripts()[name]), words(said)) <= 1, said
                assert wire.dialled == dialled
                wire.cut()

    asyncio.run(story())


def test_speech_to_text_takes_turns_from_a_detector_of_its_own(url, key):
    name = "austen-0880.wav"

    async def story():
        device = Device()
        whisper = OpenAIRealtimeSTTService(api_key=key, base_url=url.replace("http", "ws") + "/realtime")
        worker = PipelineWorker(Pipeline([device.input(), whisper]))
        async with listening(worker) as (heard, errors):
            sound = pcm24k(SAMPLES / name)
            device.microphone.open.say(sound)
            await asyncio.sleep(len(sound) / 48_000 + 0.5)
            await worker.queue_frames([VADUserStoppedSpeakingFrame()])
            said = await next_transcript(heard)
            assert word_errors(words(transcripts()[name]), words(said)) <= 1, said
            assert errors == []

    asyncio.run(story())
