"""A Pipecat transport without hardware: a microphone to speak into, and a loudspeaker that plays in real time."""

import asyncio
import time

from pipecat.frames.frames import Frame, InputAudioRawFrame, InterruptionFrame, OutputAudioRawFrame, StartFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import BaseTransport, TransportParams
from speech import Microphone

PIPELINE_RATE = 16_000  # what Pipecat's pipelines hear in, if nothing else is said


class DeviceMicrophone(BaseInputTransport):
    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self.open, self.task = Microphone(PIPELINE_RATE), None

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)
        self.task = self.create_task(self.listen())

    async def listen(self) -> None:
        while True:
            step, wait = self.open.listen()
            await asyncio.sleep(wait)
            await self.push_audio_frame(InputAudioRawFrame(audio=step, sample_rate=PIPELINE_RATE, num_channels=1))

    async def cleanup(self) -> None:
        if self.task:
            await self.cancel_task(self.task)
        await super().cleanup()


class DeviceLoudspeaker(BaseOutputTransport):
    """Counts the seconds that were heard and how often they were interrupted."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self.heard, self.interruptions, self.due, self.playing = 0.0, 0, 0.0, asyncio.Event()

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.interruptions += isinstance(frame, InterruptionFrame)
        await super().process_frame(frame, direction)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        seconds = len(frame.audio) / 2 / frame.sample_rate
        self.due = max(self.due, time.monotonic()) + seconds
        self.heard += seconds
        self.playing.set()
        await asyncio.sleep(max(0.0, self.due - time.monotonic()))
        return True


class Device(BaseTransport):
    def __init__(self) -> None:
        super().__init__()
        params = TransportParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_auto_silence=False,
            audio_out_end_silence_secs=0,
        )
        self.microphone, self.loudspeaker = DeviceMicrophone(params), DeviceLoudspeaker(params)

    def input(self) -> FrameProcessor:
        return self.microphone

    def output(self) -> FrameProcessor:
        return self.loudspeaker
