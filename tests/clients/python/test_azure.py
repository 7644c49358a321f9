"""The official Python SDK as Azure's users have it: a base URL under `/openai`, and `api-key`."""

import asyncio
import pathlib

import openai
from sdk import say, until
from speech import MODEL, QUESTION, pcm24k, silence


def test_azures_client_converses_on_the_path_without_a_date(url, key):
    async def story():
        root = url.removesuffix("/v1")
        client = openai.AsyncAzureOpenAI(
            azure_endpoint=root,
            api_key=key,
            api_version="2025-08-28",
            websocket_base_url=f"{root.replace('http', 'ws', 1)}/openai/v1",
        )
        async with client.realtime.connect(model=MODEL) as connection:
            created = await until(connection, "session.created")
            assert created.session.type == "realtime" and created.session.model == MODEL
            speaking = asyncio.create_task(say(connection, pcm24k(QUESTION) + silence(2)))
            done = await until(connection, "response.done")
            await speaking
            assert done.response.status == "completed"
        speech = await client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.", response_format="pcm")
        heard = await client.audio.transcriptions.create(model="whisper-1", file=pathlib.Path(QUESTION))
        assert speech.content and heard.text

    asyncio.run(story())


def test_the_plain_client_takes_azures_base_url(url, key):
    async def story():
        client = openai.AsyncOpenAI(api_key=key, base_url=f"{url.removesuffix('/v1')}/openai/v1")
        secret = await client.realtime.client_secrets.create(session={"type": "realtime", "instructions": "Be brief."})
        assert secret.value.startswith("ek_")
        assert [model.id async for model in await client.models.list()]
        async with client.realtime.connect(model=MODEL) as connection:
            await until(connection, "session.created")

    asyncio.run(story())
