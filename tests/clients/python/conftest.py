"""The relay under test, started by scripts/clients, and real speech to say to it."""

import asyncio
import base64
import csv
import os
import pathlib
import wave

import openai
import pytest

SAMPLES = pathlib.Path(__file__).parents[3] / "samples"
MODEL = "gpt-realtime"
STEP = 2 * 24_000 // 50  # bytes of 20 ms


def pcm24k(path: pathlib.Path) -> bytes:
    """A mono PCM16 WAV file at 24 kHz, resampled by straight lines where it has another rate."""
    with wave.open(str(path)) as file:
        rate, samples = file.getframerate(), memoryview(file.readframes(file.getnframes())).cast("h")
    if rate == 24_000:
        return samples.tobytes()
    out = bytearray()
    for index in range(len(samples) * 24_000 // rate):
        position, fraction = divmod(index * rate, 24_000)
        here, there = samples[position], samples[min(position + 1, len(samples) - 1)]
        out += int(here + (there - here) * fraction / 24_000).to_bytes(2, "little", signed=True)
    return bytes(out)


def silence(seconds: float) -> bytes:
    return bytes(2 * int(24_000 * seconds))


FIGURES = "zero one two three four five six seven eight nine ten".split()


def words(text: str) -> list[str]:
    """Words in lower case without punctuation; 10 and ten are the same word."""
    letters = "".join(c if c.isalnum() or c in " '" else " " for c in text.lower())
    return [FIGURES[int(word)] if word.isdigit() and int(word) <= 10 else word for word in letters.split()]


def word_errors(expected: list[str], heard: list[str]) -> int:
    """Levenshtein distance over words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(expected, 1):
        row, above = [i], row
        for j, other in enumerate(heard, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != other)))
    return row[-1]


def transcripts() -> dict[str, str]:
    with open(SAMPLES / "transcripts.tsv", newline="") as file:
        return dict(csv.reader(file, delimiter="\t"))


async def say(connection, sound: bytes, pace: float = 1.0) -> None:
    """Appends `sound` in steps of 20 ms, `pace` times as fast as speech."""
    for start in range(0, len(sound), STEP):
        audio = base64.b64encode(sound[start : start + STEP]).decode()
        await connection.input_audio_buffer.append(audio=audio)
        await asyncio.sleep(0.02 / pace)


async def until(connection, kind: str, seconds: float = 60, seen: list | None = None):
    """Reads events up to the first of this type."""
    async with asyncio.timeout(seconds):
        while True:
            event = await connection.recv()
            if seen is not None:
                seen.append(event)
            if event.type == kind:
                return event
            assert event.type != "error" or kind == "error", event


@pytest.fixture
def url() -> str:
    return os.environ["RELAY_URL"] + "/v1"


@pytest.fixture
def key() -> str:
    return os.environ["RELAY_KEY"]


@pytest.fixture
def client(url, key) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=key, base_url=url)
