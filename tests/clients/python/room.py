"""A LiveKit room without LiveKit's server: a microphone to speak into, and a loudspeaker that plays in real time."""

import asyncio
import time

from livekit import rtc
from livekit.agents.voice import io
from speech import RATE, Microphone


class RoomMicrophone(io.AudioInput):
    def __init__(self) -> None:
        super().__init__(label="microphone")
        self.open = Microphone()

    async def __anext__(self) -> rtc.AudioFrame:
        step, wait = self.open.listen()
        await asyncio.sleep(wait)
        return rtc.AudioFrame(data=step, sample_rate=RATE, num_channels=1, samples_per_channel=len(step) // 2)


class RoomLoudspeaker(io.AudioOutput):
    """Keeps of each utterance how many seconds were heard, and whether it was cut."""

    def __init__(self) -> None:
        can = io.AudioOutputCapabilities(pause=False)
        super().__init__(label="loudspeaker", next_in_chain=None, sample_rate=RATE, capabilities=can)
        self.heard: list[tuple[float, bool]] = []
        self.playing = asyncio.Event()
        self._rest()

    def _rest(self) -> None:
        self.began, self.seconds, self.cut, self.end = 0.0, 0.0, asyncio.Event(), None
        self.playing.clear()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self.playing.is_set():
            self.playing.set()
            self.began = time.monotonic()
            self.on_playback_started(created_at=time.time())
        self.seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        if self.playing.is_set() and self.end is None:
            self.end = asyncio.create_task(self._play_out())

    def clear_buffer(self) -> None:
        if self.playing.is_set():
            self.cut.set()
            self.flush()

    async def _play_out(self) -> None:
        left = self.began + self.seconds - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)):
                await self.cut.wait()
        except TimeoutError:
            pass
        cut, position = self.cut.is_set(), min(self.seconds, time.monotonic() - self.began)
        self.heard.append((position, cut))
        self._rest()
        self.on_playback_finished(playback_position=position, interrupted=cut)
