"""The helpers themselves: what they let pass and what not."""

import json
import pathlib

import pytest
import strict
from wire import Reader

GOLDEN = pathlib.Path(__file__).parents[2] / "golden"


def golden(name: str) -> dict:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def test_every_golden_event_suits_every_client():
    for file in GOLDEN.glob("*.json"):
        strict.check(json.loads(file.read_text()))


@pytest.mark.parametrize(
    "name, change",
    [
        ("input_audio_buffer.speech_started", {"audio_start_ms": 812.5}),
        ("input_audio_buffer.speech_started", {"audio_start_ms": "812"}),
        ("input_audio_buffer.committed", {"item_id": None}),
        ("response.output_audio.delta", {"type": "response.audio.delta"}),
        ("conversation.item.deleted", {"event_id": None}),
    ],
)
def test_an_event_that_is_slightly_wrong_is_refused(name, change):
    with pytest.raises(Exception, match="validation error"):
        strict.check(golden(name) | change)


def test_the_wire_reads_long_masked_and_fragmented_messages():
    told = []
    reader = Reader(told.append)
    text = json.dumps({"text": "a" * 70_000}).encode()
    mask = b"\x01\x02\x03\x04"
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
    stream = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    stream += b"\x81\xff" + len(text).to_bytes(8) + mask + masked
    stream += b"\x89\x00" + b"\x01\x02{" + b'"' + b"\x80\x06" + b'a":1} '
    for at in range(0, len(stream), 1_000):
        reader.feed(stream[at : at + 1_000])
    assert told == [json.loads(text), {"a": 1}]
