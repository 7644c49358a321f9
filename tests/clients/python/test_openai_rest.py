"""What the official Python SDK does beside conversations: secrets, keys, files."""

import asyncio
import io
import wave

import openai
import pytest
import websockets
from speech import MODEL, QUESTION, word_errors, words


def test_a_client_secret_opens_sessions_and_nothing_else(client, url):
    async def story():
        secret = await client.realtime.client_secrets.create(
            session={"type": "realtime", "instructions": "Be brief.", "output_modalities": ["text"]}
        )
        assert secret.value.startswith("ek_")
        phone = openai.AsyncOpenAI(api_key=secret.value, base_url=url)
        async with phone.realtime.connect(model=MODEL) as connection:
            created = await connection.recv()
            assert created.session.instructions == "Be brief."
            assert created.session.output_modalities == ["text"]
        with pytest.raises((openai.AuthenticationError, openai.PermissionDeniedError)):
            await phone.models.list()

    asyncio.run(story())


def test_a_wrong_key_is_refused_everywhere(url):
    async def story():
        stranger = openai.AsyncOpenAI(api_key="vr_wrong", base_url=url, max_retries=0)
        with pytest.raises(openai.AuthenticationError):
            await stranger.models.list()
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            async with stranger.realtime.connect(model=MODEL):
                pass
        assert refused.value.response.status_code == 401

    asyncio.run(story())


def test_files_are_transcribed_and_text_is_spoken(client):
    async def story():
        assert [model.id async for model in await client.models.list()]
        speech = await client.audio.speech.create(
            model="tts-1", voice="alloy", input="The meeting starts at half past nine.", response_format="wav"
        )
        with wave.open(io.BytesIO(speech.content)) as file:
            assert file.getframerate() == 24_000
        heard = await client.audio.transcriptions.create(
            model="whisper-1", file=("speech.wav", speech.content), response_format="verbose_json"
        )
        assert heard.duration > 1
        assert word_errors(words("the meeting starts at half past nine"), words(heard.text)) <= 2, heard.text

    asyncio.run(story())


def test_the_program_of_the_guide_hears_and_speaks(program, tmp_path):
    assert "12 times 7" in program("openai_rest.py", QUESTION)
    assert "12 times 7" in program("openai_rest.py", str(tmp_path / "echo.wav"))
