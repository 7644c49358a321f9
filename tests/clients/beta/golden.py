"""Holds every golden server event of the beta against the types of the last SDK that had them.

    pip install -r tests/clients/beta/requirements.txt && python tests/clients/beta/golden.py

Each file of tests/golden/beta is parsed strictly by the union of `openai.types.beta.realtime`. Exits with 1 and the reasons
if one is refused.
"""

import json
import pathlib
import sys

import pydantic
from openai.types.beta.realtime import RealtimeServerEvent, Session, TranscriptionSession

FOLDER = pathlib.Path(__file__).parents[2] / "golden" / "beta"

events = pydantic.TypeAdapter(RealtimeServerEvent)
session = pydantic.TypeAdapter(Session)
transcription = pydantic.TypeAdapter(TranscriptionSession)


def check(event: dict) -> None:
    """Raises if the SDK's types refuse the event."""
    kind = event["type"]
    if kind.startswith("transcription_session."):
        # Its types want a secret, which only REST answers with, and do not know the event that greets.
        heard = {**event["session"], "client_secret": {"value": "", "expires_at": 0}}
        transcription.validate_json(json.dumps(heard), strict=True)
        return
    if kind.startswith("session."):
        event = {**event, "session": narrowed(event["session"])}
    events.validate_json(json.dumps(event), strict=True)


def narrowed(shown: dict) -> dict:
    """What the types, which know the hosted models alone and take a choice of tools for text, can say of a session."""
    functions = [tool for tool in shown["tools"] if tool["type"] == "function"]
    choice = shown["tool_choice"]
    chosen = choice if isinstance(choice, str) else choice["type"]
    return {**shown, "model": "gpt-4o-realtime-preview", "tools": functions, "tool_choice": chosen}


def main() -> int:
    refused = 0
    # What the beta had no words for: a client that sends one gets it back.
    foreign = ("mcp_call", "input_image")
    files = [file for file in sorted(FOLDER.glob("*.json")) if not file.stem.endswith(foreign)]
    for file in files:
        try:
            check(json.loads(file.read_text()))
        except pydantic.ValidationError as error:
            refused += 1
            print(f"{file.name}: {error}", file=sys.stderr)
    print(f"{len(files) - refused} of {len(files)} server events of the beta are accepted")
    return 1 if refused or not files else 0


if __name__ == "__main__":
    sys.exit(main())
