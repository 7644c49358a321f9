"""The last SDK that spoke the beta, pointed at the relay by its base URL. Whatever it receives is held against its types."""

import asyncio
import base64
import contextlib
import json
import pathlib

import openai
import pytest
from conftest import dialled
from golden import check
from sdk import say, until
from speech import LONG, QUESTION, SAMPLES, pcm24k, silence, transcripts, word_errors, words

MODEL = "gpt-4o-realtime-preview"


class Strict:
    """A connection that takes no event its types would refuse."""

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    async def recv(self):
        text = await self.connection.recv_bytes()
        check(json.loads(text))
        return self.connection.parse_event(text)


@contextlib.asynccontextmanager
async def connected(client, **query):
    async with client.beta.realtime.connect(**({"model": MODEL} | query)) as connection:
        yield Strict(connection)


async def ask(connection, text: str, **response):
    await connection.conversation.item.create(
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    )
    await connection.response.create(response=response)


def test_a_spoken_question_is_answered_aloud(client):
    async def story():
        async with connected(client) as connection:
            created = await until(connection, "session.created")
            assert created.session.modalities == ["text", "audio"] and created.session.input_audio_format == "pcm16"
            await until(connection, "conversation.created")
            await connection.session.update(session={"input_audio_transcription": {"model": "whisper-1"}})
            speaking = asyncio.create_task(say(connection, pcm24k(QUESTION) + silence(2)))
            seen = []
            done = await until(connection, "response.done", seen=seen)
            await speaking
            assert done.response.status == "completed"
            order = [event.type for event in seen]
            expected = [
                "session.updated",
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.created",
                "response.created",
                "response.output_item.added",
                "response.content_part.added",
                "response.audio.done",
                "response.audio_transcript.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.done",
            ]
            places = [order.index(kind) for kind in expected]
            assert places == sorted(places), order
            audio = b"".join(base64.b64decode(e.delta) for e in seen if e.type == "response.audio.delta")
            assert len(audio) > 24_000, "at least half a second of speech"
            spoken = "".join(e.delta for e in seen if e.type == "response.audio_transcript.delta")
            assert "84" in spoken or "eighty" in spoken.lower(), spoken
            assert done.response.output[0].content[0].type == "audio"
            assert done.response.output[0].content[0].transcript == spoken

    asyncio.run(story())


def test_speaking_over_the_reply_stops_it_and_the_next_words_are_answered(client):
    async def story():
        async with connected(client) as connection:
            await until(connection, "session.created")
            await ask(connection, LONG)
            await until(connection, "response.audio.delta")
            speaking = asyncio.create_task(say(connection, pcm24k(QUESTION) + silence(2)))
            cut = await until(connection, "response.done")
            assert cut.response.status == "cancelled"
            assert cut.response.status_details.reason == "turn_detected"
            await connection.conversation.item.truncate(
                item_id=cut.response.output[0].id, content_index=0, audio_end_ms=500
            )
            seen = []
            answer = await until(connection, "response.done", seen=seen)
            await speaking
            assert answer.response.status == "completed"
            assert any(event.type == "conversation.item.truncated" for event in seen)

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
            await connection.session.update(session={"tools": [weather], "tool_choice": "auto"})
            await ask(connection, "What is the weather in Paris?", tool_choice="required")
            called = await until(connection, "response.function_call_arguments.done")
            assert '"Paris"' in called.arguments
            done = await until(connection, "response.done")
            assert done.response.output[0].name == "get_weather"
            await connection.conversation.item.create(
                item={"type": "function_call_output", "call_id": called.call_id, "output": '{"sky": "sunny"}'}
            )
            await connection.response.create(response={"modalities": ["text"]})
            said = await until(connection, "response.text.done")
            assert "sunny" in said.text

    asyncio.run(story())


def test_a_refusal_names_the_field_of_the_beta_and_the_session_goes_on(client):
    async def story():
        async with connected(client) as connection:
            await until(connection, "session.created")
            await connection.session.update(
                session={"turn_detection": {"type": "server_vad", "threshold": 2}}, event_id="mine"
            )
            refused = await until(connection, "error")
            assert (refused.error.param, refused.error.event_id) == ("session.turn_detection.threshold", "mine")
            await ask(connection, "Say hello.", modalities=["text"])
            assert (await until(connection, "response.done")).response.status == "completed"

    asyncio.run(story())


def test_a_transcription_session_understands_a_recorded_person(client):
    async def story():
        name, text = next(pair for pair in transcripts().items() if pair[0].startswith("austen"))
        async with client.beta.realtime.connect(model="whisper-1", extra_query={"intent": "transcription"}) as connection:
            connection = Strict(connection)
            await until(connection, "transcription_session.created")
            await connection.transcription_session.update(
                session={"input_audio_transcription": {"model": "whisper-1", "language": "en"}, "turn_detection": None}
            )
            await until(connection, "transcription_session.updated")
            await say(connection, pcm24k(SAMPLES / name), pace=50)
            await connection.input_audio_buffer.commit()
            heard = await until(connection, "conversation.item.input_audio_transcription.completed")
            assert word_errors(words(text), words(heard.transcript)) <= 3, heard.transcript

    asyncio.run(story())


def test_a_session_made_for_a_browser_is_opened_by_its_secret(client, url):
    async def story():
        made = await client.beta.realtime.sessions.create(
            model=MODEL, instructions="Be brief.", modalities=["text"], voice="echo", temperature=0.9
        )
        assert made.client_secret.value.startswith("ek_") and made.temperature == 0.9
        phone = dialled(made.client_secret.value, url)
        async with connected(phone) as connection:
            created = await until(connection, "session.created")
            assert created.session.instructions == "Be brief." and created.session.modalities == ["text"]
        with pytest.raises((openai.AuthenticationError, openai.PermissionDeniedError)):
            await phone.beta.realtime.sessions.create(model=MODEL)
        heard = await client.beta.realtime.transcription_sessions.create(
            input_audio_transcription={"model": "whisper-1", "language": "en"}
        )
        assert heard.client_secret.value.startswith("ek_") and heard.input_audio_transcription.language == "en"

    asyncio.run(story())


def test_azures_client_finds_its_dated_path(url, key):
    async def story():
        root = url.removesuffix("/v1")
        client = openai.AsyncAzureOpenAI(
            azure_endpoint=root,
            api_key=key,
            api_version="2024-10-01-preview",
            websocket_base_url=f"{root.replace('http', 'ws', 1)}/openai",
        )
        async with connected(client, model="gpt-realtime") as connection:
            await until(connection, "session.created")
            await ask(connection, "What is two plus two?", modalities=["text"])
            assert (await until(connection, "response.done")).response.status == "completed"
        made = await client.beta.realtime.sessions.create(model=MODEL)
        assert made.client_secret.value.startswith("ek_")
        speech = await client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.", response_format="pcm")
        heard = await client.audio.transcriptions.create(model="whisper-1", file=pathlib.Path(QUESTION))
        assert speech.content and heard.text

    asyncio.run(story())
