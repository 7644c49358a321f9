"""livekit-plugins-openai in an AgentSession, as a LiveKit worker runs it, and its streaming speech-to-text."""

import asyncio
import contextlib

from livekit import rtc
from livekit.agents import llm, stt, utils
from livekit.plugins import openai
from room import RoomLoudspeaker, RoomMicrophone
from speech import LONG, QUESTION, RATE, SAMPLES, STEP, pcm24k, silence, transcripts, word_errors, words


@contextlib.asynccontextmanager
async def talking(guide):
    """The agent of the guide in a room of ours, and all that its session tells."""
    agent = guide("livekit_agent.py")
    session = agent["talk"]()
    microphone, loudspeaker = RoomMicrophone(), RoomLoudspeaker()
    session.input.audio, session.output.audio = microphone, loudspeaker
    told = asyncio.Queue()
    for kind in ("user_input_transcribed", "conversation_item_added", "function_tools_executed", "error"):
        session.on(kind, told.put_nowait)
    await session.start(agent["Assistant"]())
    try:
        yield session, microphone.open, loudspeaker, told
    finally:
        await session.aclose()
        await session.llm.aclose()


async def next_said(told: asyncio.Queue, role: str, seconds: float = 60) -> str:
    """The next words of the user or the assistant that enter the history."""
    async with asyncio.timeout(seconds):
        while True:
            event = await told.get()
            assert event.type != "error", event
            item = getattr(event, "item", None)
            if item is not None and item.type == "message" and item.role == role:
                return item.text_content


def test_a_spoken_question_is_answered_aloud(guide):
    async def story():
        async with talking(guide) as (_, microphone, loudspeaker, told):
            microphone.say(pcm24k(QUESTION))
            assert "12 times 7" in await next_said(told, "user")
            assert "84" in await next_said(told, "assistant")
            [(seconds, cut)] = loudspeaker.heard
            assert seconds > 0.5 and not cut

    asyncio.run(story())


def test_speaking_over_the_reply_stops_it_and_the_next_words_are_answered(guide, wire):
    async def story():
        async with talking(guide) as (session, microphone, loudspeaker, told):
            session.generate_reply(user_input=LONG)
            await asyncio.wait_for(loudspeaker.playing.wait(), 60)
            await asyncio.sleep(3.2)  # LiveKit ignores interruptions while its echo canceller warms up
            microphone.say(pcm24k(QUESTION))
            await next_said(told, "assistant")
            assert "12 times 7" in await next_said(told, "user")
            assert "84" in await next_said(told, "assistant")
            (_, first), (_, second) = loudspeaker.heard
            assert first and not second
            # The plugin told how much was heard, and the relay took it.
            assert "conversation.item.truncated" in wire.kinds
            # It also cancels the response that the relay has cancelled already, and overlooks that answer.
            errors = {event["error"]["code"] for event in wire.events if event["type"] == "error"}
            assert errors <= {"response_cancel_not_active"}

    asyncio.run(story())


def test_a_tool_is_called_by_voice_and_its_result_spoken(guide, weather):
    async def story():
        async with talking(guide) as (session, microphone, _, told):
            microphone.say(weather)
            assert "sunny in Paris" in await next_said(told, "assistant")
            [call] = [item for item in session.history.items if item.type == "function_call"]
            assert call.name == "get_weather" and '"Paris"' in call.arguments

    asyncio.run(story())


def test_a_cut_connection_is_dialled_again_and_the_conversation_goes_on(guide, wire):
    async def story():
        async with talking(guide) as (_, microphone, _, told):
            microphone.say(pcm24k(QUESTION))
            await next_said(told, "assistant")
            wire.cut()
            lost = await asyncio.wait_for(told.get(), 10)
            assert lost.type == "error" and lost.error.recoverable
            microphone.say(pcm24k(QUESTION))
            assert "84" in await next_said(told, "assistant")
            assert wire.dialled == 2
            # The items of before the cut were made again by the plugin, in their order.
            again = [e["item"] for e in wire.received[1] if e["type"] == "conversation.item.added"]
            assert [item["role"] for item in again] == ["user", "assistant", "user", "assistant"]

    asyncio.run(story())


async def written(generation: llm.GenerationCreatedEvent) -> str:
    return "".join([str(text) async for message in generation.message_stream async for text in message.text_stream])


def test_the_history_is_rewritten_and_a_call_of_a_tool_made_again(url, key, wire):
    async def story():
        async with utils.http_context.open():
            model = openai.realtime.RealtimeModel(
                base_url=url, api_key=key, model="gpt-realtime", modalities=["text"], turn_detection=None
            )
            session = model.session()
            context = llm.ChatContext()
            context.add_message(role="user", content="My name is Ada.")
            context.add_message(role="assistant", content="Hello Ada.")
            context.add_message(role="user", content="What is my name?")
            await session.update_chat_ctx(context)
            assert "Ada" in await written(await session.generate_reply())
            context = session.chat_ctx.copy()
            del context.items[0]
            weather = {"call_id": "call_1", "name": "get_weather"}
            context.items.append(llm.FunctionCall(arguments='{"city": "Oslo"}', **weather))
            context.items.append(llm.FunctionCallOutput(output="It is raining in Oslo.", is_error=False, **weather))
            await session.update_chat_ctx(context)
            assert "raining" in await written(await session.generate_reply())
            assert [item.id for item in session.chat_ctx.items[:-1]] == [item.id for item in context.items]
            assert "error" not in wire.kinds
            await session.aclose()

    asyncio.run(story())


def test_speech_to_text_understands_recorded_people(program):
    name = "austen-0880.wav"
    said = program("livekit_stt.py", str(SAMPLES / name))
    assert word_errors(words(transcripts()[name]), words(said)) <= 1, said


async def transcripts_of(whisper: openai.STT, name: str, times: int, pause) -> list[str]:
    """Says a recording `times` times into one stream, with `pause` called between, and gives the final transcripts."""
    sound, said = pcm24k(SAMPLES / name) + silence(1.5), []
    async with utils.http_context.open(), whisper.stream() as stream:

        async def speak():
            for at in range(0, len(sound), STEP):
                step = sound[at : at + STEP].ljust(STEP, b"\0")
                stream.push_frame(rtc.AudioFrame(step, RATE, num_channels=1, samples_per_channel=STEP // 2))
                await asyncio.sleep(0.02)

        for _ in range(times):
            speaking = asyncio.create_task(speak())
            async with asyncio.timeout(60):
                async for event in stream:
                    if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                        said.append(event.alternatives[0].text)
                        break
            await speaking
            pause()
        return said


def test_streaming_speech_to_text_dials_again_after_a_cut(url, key, wire):
    name = "austen-0880.wav"
    whisper = openai.STT(base_url=url, api_key=key, use_realtime=True)
    for said in asyncio.run(transcripts_of(whisper, name, 2, wire.cut)):
        assert word_errors(words(transcripts()[name]), words(said)) <= 1, said
    assert wire.dialled == 2


def test_streaming_speech_to_text_takes_turns_from_a_detector_of_its_own(url, key, wire):
    name = "austen-0880.wav"
    whisper = openai.STT(base_url=url, api_key=key, model="gpt-realtime-whisper")
    [said] = asyncio.run(transcripts_of(whisper, name, 1, lambda: None))
    assert word_errors(words(transcripts()[name]), words(said)) <= 1, said
    assert "input_audio_buffer.commit" in {event["type"] for event in wire.sent[0]}
