"""Typed conversations by the official Python SDK: whole, streamed, with functions, and what is refused."""

import asyncio
import json

import openai
import pytest

MODEL = "gpt-4o-mini"
SUM = [{"role": "user", "content": "What is 12 times 7?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather at a place",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_an_answer_is_whole_and_true(client):
    async def story():
        answer = await client.chat.completions.create(model=MODEL, messages=SUM, user="u", n=1, temperature=0)
        choice = answer.choices[0]
        assert "84" in choice.message.content and choice.message.role == "assistant"
        assert (choice.finish_reason, answer.object, answer.model) == ("stop", "chat.completion", "local/agent")
        assert type(answer).model_validate(answer.model_dump(), strict=True)

    asyncio.run(story())


def test_a_stream_joins_to_the_answer(client):
    async def story():
        stream = await client.chat.completions.create(
            model=MODEL, messages=SUM, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert "84" in text
        assert len({chunk.id for chunk in chunks}) == 1
        assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
        async with client.chat.completions.stream(model=MODEL, messages=SUM) as helper:
            final = await helper.get_final_completion()
        assert final.choices[0].message.content == text

    asyncio.run(story())


def test_a_function_is_called_and_its_result_told(client):
    async def story():
        messages = [{"role": "user", "content": "What is the weather in Paris?"}]
        first = await client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])
        choice = first.choices[0]
        assert choice.finish_reason == "tool_calls"
        call = choice.message.tool_calls[0]
        assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
        messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": "It is sunny in Paris."}]
        second = await client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])
        assert "sunny" in second.choices[0].message.content

        stream = await client.chat.completions.create(model=MODEL, messages=messages[:1], tools=[WEATHER], stream=True)
        parts = [part async for chunk in stream for part in chunk.choices[0].delta.tool_calls or []]
        assert parts[0].function.name == "get_weather" and parts[0].id
        assert json.loads("".join(part.function.arguments for part in parts)) == {"city": "Paris"}

    asyncio.run(story())


def test_what_cannot_be_had_is_an_error_of_the_sdk(client):
    async def story():
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(model=MODEL, messages=SUM, response_format={"type": "json_object"})
        assert (refused.value.param, refused.value.code) == ("response_format", "unsupported_parameter")
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.chat.completions.create(model="claude-x", messages=SUM)
        assert unknown.value.code == "model_not_found"

    asyncio.run(story())


def test_the_program_of_the_guide_answers(program):
    assert "84" in program("openai_chat.py", "What is 12 times 7?")
