"""From one line of text to an agent or a model: the specs that flags, markers and tables take."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from harness.agents.find_object import find_object
from harness.core.contracts import Agent, Model
from harness.core.errors import UsageError

T = TypeVar("T")

FORMS = (
    "package.module:name (an agent, a class of one, a chat model, or a function)",
    "litellm:MODEL",
    "openai:MODEL or openai:MODEL@BASE_URL",
    "http://... or https://...",
    "cmd:program arguments",
    "replay:PATH",
)
_OPENAI = "https://api.openai.com/v1"
_LOOP = ("system", "max_steps", "send_seed", "echo_thinking", "tools", "world")


def agent_from_spec(spec: str, *, root: Path | None = None, options: Mapping[str, Any] | None = None) -> Agent:
    """The agent that ``spec`` names.

    :param spec: one of :data:`FORMS`.
    :param root: where modules are looked for besides Python's own path, and where ``cmd:`` programs run.
    :param options: constructor arguments of the adapter or class, or keyword arguments of the function. For a model:
        those of the model and of its tool loop (``system``, ``max_steps``); anything else is a sampling parameter.
    :raises UsageError: naming the spec, what failed, near names, and the forms that exist.
    """
    given = dict(options or {})
    kind, _, rest = spec.partition(":")
    if kind in ("litellm", "openai"):
        from harness.agents.tool_loop import ToolLoop

        loop = {key: given.pop(key) for key in _LOOP if key in given}
        return ToolLoop(name=spec, model=model_from_spec(spec, root=root, options=given), **loop)
    if kind in ("http", "https"):
        from harness.agents.http import HttpAgent

        return _made(HttpAgent, spec, (spec,), given)
    if kind == "cmd":
        from harness.agents.command_line import CommandAgent

        try:
            argv = shlex.split(rest)
        except ValueError as error:
            raise _wrong(spec, f"its arguments cannot be split: {error}") from error
        if not argv:
            raise _wrong(spec, "it names no program; write cmd:./agent --flag")
        return _made(CommandAgent, spec, (argv,), {"cwd": root, "name": spec, **given})
    if kind == "replay":
        raise _wrong(spec, "recordings are read by the plugin, which resolves replay: itself; here give a ReplayAgent")
    return _agent(_found(spec, root), spec, given, name=spec)


def agent_from(given: Any, *, root: Path | None = None, options: Mapping[str, Any] | None = None) -> Agent:
    """The agent that ``given`` is or stands for, for markers and fixtures that take either.

    :param given: a spec (:func:`agent_from_spec`), an agent, a class of one, a chat model (played by a tool loop
        without tools of its own), or a function.
    :raises UsageError: when it is none of these.
    """
    if isinstance(given, str):
        return agent_from_spec(given, root=root, options=options)
    return _agent(given, given, dict(options or {}), name="")


def model_from_spec(
    spec: str, *, root: Path | None = None, options: Mapping[str, Any] | None = None, purpose: str = "agent"
) -> Model:
    """The chat model that ``spec`` names, for judges and loops: ``litellm:``, ``openai:`` or ``package.module:name``.

    :param purpose: ``agent`` or ``judge``, for the accounts.
    :raises UsageError: as :func:`agent_from_spec`.
    """
    given = {"purpose": purpose, **(options or {})}
    kind, _, rest = spec.partition(":")
    if kind in ("litellm", "openai") and not rest:
        raise _wrong(spec, f"it names no model; write {kind}:MODEL")
    if kind == "litellm":
        from harness.agents.litellm_model import LiteLLMModel

        return _made(LiteLLMModel, spec, (rest,), _sorted_out(LiteLLMModel, {"name": spec, **given}))
    if kind == "openai":
        from harness.agents.openai_compatible import OpenAICompatible

        # A model's name may hold an @ of its own, so the address is what follows the last one that precedes http.
        match = re.fullmatch(r"(.+)@(https?://.+)", rest)
        model, base_url = (match[1], match[2]) if match else (rest, _OPENAI)
        fixed = {"base_url": base_url, "model": model, "api_key_env": "OPENAI_API_KEY", "name": spec}
        return _made(OpenAICompatible, spec, (), _sorted_out(OpenAICompatible, {**fixed, **given}))
    if kind in ("http", "https", "cmd", "replay"):
        raise _wrong(spec, "it is an agent, not a model; a model is litellm:MODEL, openai:MODEL or package.module:name")
    found = _found(spec, root)
    if inspect.isclass(found):
        found = _made(found, spec, (), dict(options or {}))
    if not isinstance(found, Model):
        raise _wrong(spec, f"{found!r:.200} is no model: it needs a name and a coroutine complete(messages, *, tools)")
    return found


def _found(spec: str, root: Path | None) -> Any:
    module, colon, attribute = spec.partition(":")
    if not colon or not attribute:
        raise _wrong(spec, "it has no colon" if not colon else "nothing follows its colon")
    try:
        return find_object(module, attribute, root=root)
    except UsageError as error:
        raise _wrong(spec, str(error)) from error


def _agent(found: Any, spec: Any, options: Mapping[str, Any], *, name: str) -> Agent:
    if inspect.isclass(found):
        found = _made(found, spec, (), options)
        options = {}
    run = getattr(found, "run", None)
    if callable(run):
        if not _takes_two(run):
            raise _wrong(
                spec,
                "its run() does not take (case, trial), so it belongs to another library; name a function that calls "
                "it: def agent(input): return other.run(input)",
            )
        if not isinstance(getattr(found, "name", None), str):
            raise _wrong(spec, f"{type(found).__name__} has run() but no name; give it one: name = 'my agent'")
        if options:
            raise _wrong(spec, f"it names an agent already made, which takes no options; got {', '.join(options)}")
        made: Agent = found
        return made
    if isinstance(found, Model):
        from harness.agents.tool_loop import ToolLoop

        return _made(ToolLoop, spec, (), {"name": name or found.name, "model": found, **options})
    if not callable(found):
        raise _wrong(spec, f"{type(found).__name__} is neither an agent nor a model nor a function")
    from harness.agents.function import FunctionAgent

    try:
        return FunctionAgent(found, name=name, options=options)
    except UsageError as error:
        raise _wrong(spec, str(error)) from error


def _takes_two(run: Callable[..., Any]) -> bool:
    try:
        inspect.signature(run).bind(None, None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _sorted_out(made: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Constructor arguments by their names; everything else is a sampling parameter."""
    known = set(inspect.signature(made).parameters)
    own = {key: value for key, value in given.items() if key in known}
    sampling = {key: value for key, value in given.items() if key not in known}
    return {**own, "options": {**own.get("options", {}), **sampling}}


def _made(make: Callable[..., T], spec: Any, positional: tuple[Any, ...], named: Mapping[str, Any]) -> T:
    try:
        inspect.signature(make).bind(*positional, **named)
    except TypeError as error:
        known = ", ".join(p for p in inspect.signature(make).parameters)
        raise _wrong(spec, f"{error} (options it takes: {known or 'none'})") from error
    except ValueError:
        pass
    try:
        return make(*positional, **named)
    except UsageError as error:
        raise _wrong(spec, str(error)) from error
    except Exception as error:
        raise _wrong(spec, f"making it raised {type(error).__name__}: {error}") from error


def _wrong(spec: Any, what: str) -> UsageError:
    said = f"spec {spec!r}" if isinstance(spec, str) else f"agent {spec!r:.200}"
    return UsageError(f"{said}: {what}. Forms that exist: {'; '.join(FORMS)}")
