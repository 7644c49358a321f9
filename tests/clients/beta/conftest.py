"""The same relay and the same speech as for the present SDK, of which nothing is installed here."""

import os
import pathlib
import sys

import openai
import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "python"))


def dialled(key: str, url: str) -> openai.AsyncOpenAI:
    """A client with this key. Without a URL of its own for WebSockets, this SDK insists on TLS."""
    return openai.AsyncOpenAI(api_key=key, base_url=url, websocket_base_url=url.replace("http", "ws", 1))


@pytest.fixture
def url() -> str:
    return os.environ["RELAY_URL"] + "/v1"


@pytest.fixture
def key() -> str:
    return os.environ["RELAY_KEY"]


@pytest.fixture
def client(url, key) -> openai.AsyncOpenAI:
    return dialled(key, url)
