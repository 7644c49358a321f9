"""A WebRTC call by aiortc: a microphone to speak into, ears that keep what was heard and when, and the events."""

import asyncio
import contextlib
import fractions
import io
import json
import time
import wave

import av
import strict
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from speech import RATE, Microphone

EAR_RATE = 48_000  # what aiortc decodes Opus to
LOUD = 300  # of 32,767: above comfort noise, below any speech


class OpenMicrophone(MediaStreamTrack):
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.open, self.at = Microphone(), 0

    async def recv(self) -> av.AudioFrame:
        step, wait = self.open.listen()
        await asyncio.sleep(wait)
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(step) // 2)
        frame.planes[0].update(step)
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.at, fractions.Fraction(1, RATE)
        self.at += frame.samples
        return frame


class Ears:
    """All that was heard, 20 ms after 20 ms, with the time it came."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, bytes]] = []

    async def listen(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                left = bytes(frame.planes[0])[: 4 * frame.samples]  # packed stereo
                mono = memoryview(left).cast("h")[::2].tobytes()
                self.frames.append((time.monotonic(), mono))

    def loud(self, since: float = 0.0, until: float = float("inf")) -> list[float]:
        """When each 20 ms came in which something sounded."""
        return [at for at, pcm in self.frames if since <= at < until and max(memoryview(pcm).cast("h")) > LOUD]

    def wav(self, since: float = 0.0) -> bytes:
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setparams((1, 2, EAR_RATE, 0, "NONE", ""))
            out.writeframes(b"".join(pcm for at, pcm in self.frames if at >= since))
        return file.getvalue()


class Call:
    """One call. `dial` takes the SDP offer and gives the answer's SDP and the call's id."""

    def __init__(self, dial) -> None:
        self.dial = dial
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.microphone, self.ears = OpenMicrophone(), Ears()
        self.told: list[tuple[float, dict]] = []
        self.read = 0
        self.news = asyncio.Event()
        self.closed = asyncio.Event()

    async def __aenter__(self) -> "Call":
        self.peer.addTrack(self.microphone)
        self.peer.on("track", lambda track: asyncio.ensure_future(self.ears.listen(track)))
        self.channel = self.peer.createDataChannel("oai-events")
        self.channel.on("message", self.hear_of)
        self.channel.on("close", self.closed.set)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        sdp, self.id = await self.dial(self.peer.localDescription.sdp)
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        return self

    async def __aexit__(self, *_) -> None:
        await self.peer.close()
        for _, event in self.told:
            strict.check(event)
        assert not any(event["type"] == "response.output_audio.delta" for _, event in self.told)

    def hear_of(self, message: str) -> None:
        assert isinstance(message, str), "events are text messages"
        self.told.append((time.monotonic(), json.loads(message)))
        self.news.set()

    def send(self, **event) -> None:
        self.channel.send(json.dumps(event))

    def ask(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        self.send(type="conversation.item.create", item={"type": "message", "role": "user", "content": content})
        self.send(type="response.create")

    async def until(self, kind: str, seconds: float = 60) -> tuple[float, dict]:
        """The next event of this type, and when it came; those before it are read then."""
        async with asyncio.timeout(seconds):
            while True:
                while self.read < len(self.told):
                    at, event = self.told[self.read]
                    self.read += 1
                    assert event["type"] != "error" or kind == "error", event
                    if event["type"] == kind:
                        return at, event
                self.news.clear()
                await self.news.wait()

    def kinds(self) -> list[str]:
        return [event["type"] for _, event in self.told]
