"""Holds every golden server event against the types of the Python clients.

    pip install openai openai-agents && python tests/clients/golden.py

Each file of tests/golden is parsed twice: strictly by the union of `openai.types.realtime` (no coercion of numbers or
strings), and the way `openai-agents` does it on its socket. Exits with 1 and the reasons if one is refused.
"""

import json
import pathlib
import sys

import pydantic
from agents.realtime.openai_realtime import get_server_event_type_adapter
from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.client_secret_create_response import Session
from typing_extensions import Annotated

FOLDER = pathlib.Path(__file__).parent.parent / "golden"

openai = pydantic.TypeAdapter(Annotated[RealtimeServerEvent, pydantic.Field(discriminator="type")])
session = pydantic.TypeAdapter(Annotated[Session, pydantic.Field(discriminator="type")])
agents = get_server_event_type_adapter()


def check(event):
    """Raises if a client would refuse the event."""
    openai.validate_json(json.dumps(event), strict=True)
    if event["type"] in ("session.created", "session.updated"):
        session.validate_json(json.dumps(event["session"]), strict=True)
    if event.get("previous_item_id", "") is None:
        event = {**event, "previous_item_id": ""}
    agents.validate_python(event)


refused = 0
files = sorted(FOLDER.glob("*.json"))
for file in files:
    try:
        check(json.loads(file.read_text()))
    except pydantic.ValidationError as error:
        refused += 1
        print(f"{file.name}: {error}", file=sys.stderr)
print(f"{len(files) - refused} of {len(files)} server events are accepted")
sys.exit(1 if refused or not files else 0)
