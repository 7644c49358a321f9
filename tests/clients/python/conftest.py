"""The relay under test, started by scripts/clients, and the wire each test's client reaches it by."""

import io
import os
import wave

import openai
import pytest
import snippets
import strict
from wire import Wire


@pytest.fixture
def wire(monkeypatch):
    """Every event that passed must suit the schemas of all clients; programs of the guide find the relay behind it."""
    with Wire(os.environ["RELAY_URL"]) as wire:
        monkeypatch.setenv("RELAY_URL", wire.url)
        yield wire
    for event in wire.events:
        strict.check(event)


@pytest.fixture
def url(wire) -> str:
    return wire.url + "/v1"


@pytest.fixture
def key() -> str:
    return os.environ["RELAY_KEY"]


@pytest.fixture
def client(url, key) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=key, base_url=url)


@pytest.fixture
def program(wire, tmp_path):
    """Runs a program of docs/clients.md, told where the relay is, and returns what it printed."""
    return lambda name, *arguments: snippets.run(name, tmp_path, *arguments, url=wire.url)


@pytest.fixture
def guide(wire, tmp_path):
    """Loads a program of docs/clients.md without running it."""
    return lambda name: snippets.load(name, tmp_path)


@pytest.fixture(scope="session")
def weather() -> bytes:
    """Somebody who asks for the weather in Paris, PCM16 at 24 kHz."""
    relay = openai.OpenAI(api_key=os.environ["RELAY_KEY"], base_url=os.environ["RELAY_URL"] + "/v1")
    speech = relay.audio.speech.create(
        model="tts-1", voice="alloy", input="What is the weather in Paris?", response_format="wav"
    )
    with wave.open(io.BytesIO(speech.content)) as file:
        assert file.getframerate() == 24_000
        return file.readframes(file.getnframes())
