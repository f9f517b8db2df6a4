from __future__ import annotations

import asyncio
import enum
import threading
from typing import Annotated, Any, Literal, TypedDict

import jsonschema
import pytest

from harness.agents.tools import as_tools, function_tool
from harness.core.errors import UsageError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Place(TypedDict):
    city: str
    zip: int


def everything(
    name: str,
    count: Annotated[int, "how many"],
    kind: Literal["a", "b"],
    tags: list[str],
    place: Place,
    extra: dict[str, float],
    colour: Colour = Colour.RED,
    note: str | None = None,
    *,
    anything: Any = None,
) -> dict[str, Any]:
    """Do everything,
    at once.

    Long story.

    :param name: who
        it is for
    :param count: overruled by the annotation
    """
    return {"name": name, "colour": colour}


def properties(fn: Any) -> dict[str, Any]:
    found: dict[str, Any] = function_tool(fn).schema["function"]["parameters"]["properties"]
    return found


def test_annotations_become_json_schema() -> None:
    found = properties(everything)
    assert found["name"] == {"type": "string", "description": "who it is for"}
    assert found["count"] == {"type": "integer", "description": "how many"}
    assert found["kind"] == {"type": "string", "enum": ["a", "b"]}
    assert found["tags"] == {"type": "array", "items": {"type": "string"}}
    assert found["place"]["required"] == ["city", "zip"]
    assert found["extra"] == {"type": "object", "additionalProperties": {"type": "number"}}
    assert found["colour"] == {"type": "string", "enum": ["red", "blue"], "default": "red"}
    assert found["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert found["anything"] == {}


def test_the_schema_is_valid_and_names_what_is_required() -> None:
    function = function_tool(everything).schema["function"]
    jsonschema.Draft202012Validator.check_schema(function["parameters"])
    assert function["description"] == "Do everything, at once."
    assert function["parameters"]["required"] == ["name", "count", "kind", "tags", "place", "extra"]
    assert function["parameters"]["additionalProperties"] is False


def test_google_style_descriptions_are_read() -> None:
    def find(query: str, limit: int = 5) -> str:
        """Find.

        Args:
            query: what to look for,
                in words
            limit (int): at most so many

        Returns:
            a text
        """
        return query

    found = properties(find)
    assert found["query"]["description"] == "what to look for, in words"
    assert found["limit"] == {"type": "integer", "description": "at most so many", "default": 5}


def test_enum_values_become_members_and_wrong_ones_are_named() -> None:
    def paint(colour: Colour) -> str:
        return colour.name

    tool = function_tool(paint)
    assert asyncio.run(tool.call({"colour": "blue"})) == "BLUE"
    with pytest.raises(ValueError, match="one of 'red', 'blue', not 'green'"):
        asyncio.run(tool.call({"colour": "green"}))


@pytest.mark.parametrize("arguments", [{}, {"a": 1, "c": 2}, {"self": 1}])
def test_wrong_argument_names_are_answered_with_the_right_ones(arguments: dict[str, Any]) -> None:
    def add(a: int, b: int = 1) -> int:
        return a + b

    with pytest.raises(ValueError, match="add takes a, b"):
        asyncio.run(function_tool(add).call(arguments))


def test_coroutine_functions_are_awaited_and_threads_only_used_when_asked() -> None:
    async def slow() -> str:
        await asyncio.sleep(0)
        return "done"

    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert asyncio.run(function_tool(slow).call({})) == "done"
    assert asyncio.run(function_tool(where).call({})) is True
    assert asyncio.run(function_tool(where, thread=True).call({})) is False


def test_a_function_that_cannot_be_called_by_name_is_refused() -> None:
    def many(*things: str) -> None: ...

    with pytest.raises(UsageError, match=r"\*things"):
        function_tool(many)
    with pytest.raises(UsageError, match="name a tool"):
        function_tool(lambda x: x)


def test_two_tools_of_one_name_are_refused() -> None:
    def add(a: int) -> int:
        return a

    with pytest.raises(UsageError, match="two tools are called 'add'"):
        as_tools([add, function_tool(add)])
    with pytest.raises(UsageError, match="is not a tool"):
        as_tools(["add"])
