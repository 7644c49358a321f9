"""How the tests speak and listen on a connection of the official Python SDK, whichever dialect it speaks."""

import asyncio
import base64

from speech import STEP


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
