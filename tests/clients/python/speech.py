"""Speech to say to the relay, and how what came of it is judged. Sound is PCM16, mono, 24 kHz."""

import csv
import pathlib
import time
import wave

MODEL = "gpt-realtime"
SAMPLES = pathlib.Path(__file__).parents[3] / "samples"
RATE = 24_000
STEP = 2 * RATE // 50  # bytes of 20 ms
FIGURES = "zero one two three four five six seven eight nine ten".split()

QUESTION = str(SAMPLES / "question.wav")
# What takes the embedded agent longer to say than anybody waits: about 40 s.
LONG = "say " + "the quick brown fox jumps over the lazy dog, and " * 12


def pcm24k(path: str | pathlib.Path) -> bytes:
    """A mono PCM16 WAV file at 24 kHz."""
    with wave.open(str(path)) as file:
        return resampled(file.readframes(file.getnframes()), file.getframerate(), RATE)


def resampled(sound: bytes, rate: int, wanted: int) -> bytes:
    """By straight lines between samples, which is good enough for speech."""
    if rate == wanted:
        return sound
    samples, out = memoryview(sound).cast("h"), bytearray()
    for index in range(len(samples) * wanted // rate):
        position, fraction = divmod(index * rate, wanted)
        here, there = samples[position], samples[min(position + 1, len(samples) - 1)]
        out += int(here + (there - here) * fraction / wanted).to_bytes(2, "little", signed=True)
    return bytes(out)


def silence(seconds: float) -> bytes:
    return bytes(2 * int(RATE * seconds))


class Microphone:
    """An open microphone: 20 ms at a time at the pace of time, silence where nothing is said."""

    def __init__(self, rate: int = RATE) -> None:
        self.rate, self.step = rate, 2 * rate // 50
        self.sound, self.due = bytearray(), time.monotonic()

    def say(self, sound: bytes) -> None:
        self.sound += resampled(sound, RATE, self.rate)

    def listen(self) -> tuple[bytes, float]:
        """The next 20 ms, and how many seconds to wait for them."""
        step = bytes(self.sound[: self.step]).ljust(self.step, b"\0")
        del self.sound[: self.step]
        self.due = max(self.due + 0.02, time.monotonic() - 0.2)
        return step, max(0.0, self.due - time.monotonic())


def transcripts() -> dict[str, str]:
    """What is said in each recording of a person."""
    with open(SAMPLES / "transcripts.tsv", newline="") as file:
        return dict(csv.reader(file, delimiter="\t"))


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
