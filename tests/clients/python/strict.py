"""Every Python client's own schema, held against what the relay sends.

A client that skips these checks at run time, as `openai` and `livekit-plugins-openai` do, is built on the same types.
"""

import json
from typing import Annotated

import pydantic
from agents.realtime.openai_realtime import get_server_event_type_adapter
from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.client_secret_create_response import Session
from pipecat.services.openai.realtime import events as pipecat

OPENAI = pydantic.TypeAdapter(Annotated[RealtimeServerEvent, pydantic.Field(discriminator="type")])
SESSION = pydantic.TypeAdapter(Annotated[Session, pydantic.Field(discriminator="type")])
AGENTS = get_server_event_type_adapter()


def check(event: dict) -> None:
    """Raises if the schema of any client refuses the event: `openai`'s without coercion, the others' as they use it."""
    text = json.dumps(event)
    OPENAI.validate_json(text, strict=True)
    if session := event.get("session"):
        SESSION.validate_json(json.dumps(session), strict=True)
    if known_to_pipecat(event):
        pipecat.parse_server_event(text)
    if event.get("previous_item_id", "") is None:
        event = {**event, "previous_item_id": ""}
    AGENTS.validate_python(event)


def known_to_pipecat(event: dict) -> bool:
    """Whether its realtime service can meet the event: it opens no transcription sessions, whose events its
    speech-to-text service reads unparsed, uses no MCP, and cannot set these fields."""
    session, item = event.get("session") or {}, event.get("item") or {}
    transcription = session.get("audio", {}).get("input", {}).get("transcription") or {}
    return not (
        session.get("object") == "realtime.transcription_session"
        or str(item.get("type")).startswith("mcp")
        or transcription.keys() & {"delay", "keywords"}
    )
