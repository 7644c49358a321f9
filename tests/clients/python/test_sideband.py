"""A backend beside the client, by the official SDK: it follows the session and answers the functions that are called."""

import asyncio

from sdk import say, until
from speech import MODEL, QUESTION, pcm24k, silence

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Current weather at a place",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def test_a_backend_answers_a_function_call_of_the_clients_session(client):
    async def story():
        async with client.realtime.connect(model=MODEL) as caller:
            session = (await until(caller, "session.created")).session
            async with client.realtime.connect(call_id=session.id) as backend:
                assert (await until(backend, "session.created")).session.id == session.id
                await backend.session.update(session={"type": "realtime", "tools": [WEATHER]})
                await until(caller, "session.updated")
                content = [{"type": "input_text", "text": "What is the weather in Paris?"}]
                await caller.conversation.item.create(item={"type": "message", "role": "user", "content": content})
                await caller.response.create(response={"tool_choice": "required"})
                seen = []
                called = await until(backend, "response.function_call_arguments.done", seen=seen)
                await until(backend, "response.done", seen=seen)
                await backend.conversation.item.create(
                    item={"type": "function_call_output", "call_id": called.call_id, "output": '{"sky": "sunny"}'}
                )
                await backend.response.create()
                said = await until(caller, "response.output_audio_transcript.done")
                assert "sunny" in said.transcript
                await until(backend, "response.done", seen=seen)
                assert not any(event.type == "response.output_audio.delta" for event in seen)
            # The session goes on without it.
            speaking = asyncio.create_task(say(caller, pcm24k(QUESTION) + silence(2)))
            await until(caller, "input_audio_buffer.committed")
            assert (await until(caller, "response.done")).response.status == "completed"
            await speaking

    asyncio.run(story())
