"""The same relay and the same speech as for the present SDK, of which nothing is installed here."""

import os
import pathlib
import sys

import openai
import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "python"))


@pytest.fixture
def url() -> str:
    return os.environ["RELAY_URL"] + "/v1"


@pytest.fixture
def key() -> str:
    return os.environ["RELAY_KEY"]


@pytest.fixture
def client(url, key) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=key, base_url=url)
