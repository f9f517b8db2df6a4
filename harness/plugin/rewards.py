"""The reward function of a test: by ``--harness-reward``, ``@pytest.mark.reward(...)`` or the table; adapted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.rewards import AdaptedReward
    from harness.settings import Settings

HELP = (
    "reward(reward, *, bounded=None, monotone_in=None, order_free=False, samples=None, without=(), interface=None): "
    "the reward function of a test that asks for the fixture reward: an object, or package.module:name. "
    "--harness-reward wins over it."
)
KEPT: pytest.StashKey[dict[Any, Any]] = pytest.StashKey()
"""Rewards by what names them, each adapted once per session: what the lab finds out about it is kept with it."""


def reward_of(node: Any) -> AdaptedReward:
    """The reward function under test for an item or a collector.

    :raises UsageError: none is named, or the one that is cannot be used.
    """
    from harness.plugin.options import load_settings

    mark = node.get_closest_marker("reward")
    given, declared = _parsed(mark, node.nodeid)
    settings = load_settings(node.config)
    asked = settings.origins.get("reward", "").startswith(("--", "HARNESS_"))
    chosen = settings.reward if asked or given is None else given
    if chosen is None:
        raise UsageError(
            f"{node.nodeid}: no reward function to test. Say which one: --harness-reward=mypackage.rewards:correct on "
            'the command line, @pytest.mark.reward("mypackage.rewards:correct") on the test, or '
            'reward = "mypackage.rewards:correct" under [tool.harness] in pyproject.toml'
        )
    if chosen is not given:
        declared = {}  # what a test declares is about the reward that it names
    kept = node.config.stash.setdefault(KEPT, {})
    key = (chosen if isinstance(chosen, str) else id(chosen), repr(sorted(declared.items(), key=lambda item: item[0])))
    if key not in kept:
        kept[key] = (_adapted(chosen, declared, settings, node), chosen)  # keeps the object, and so its id, alive
    found: AdaptedReward = kept[key][0]
    return found


def _parsed(mark: pytest.Mark | None, where: str) -> tuple[Any, dict[str, Any]]:
    if mark is None:
        return None, {}
    if len(mark.args) != 1:
        raise UsageError(
            f"{where}: reward(...) takes exactly one reward function (an object, or 'package.module:name'), got "
            f"{len(mark.args)}"
        )
    return mark.args[0], dict(mark.kwargs)


def _adapted(chosen: Any, declared: dict[str, Any], settings: Settings, node: Any) -> AdaptedReward:
    from harness.rewards import adapt

    found, said = chosen, f"reward {chosen!r:.200}"
    if isinstance(chosen, str):
        said = f"reward {chosen!r}"
        found = _found(chosen, said, node.config.rootpath)
    try:
        adapted = adapt(found, **declared)
        if isinstance(adapted.declared.samples, str):
            adapted = adapted.redeclared(samples=_cases(adapted.declared.samples, settings, node.config.rootpath))
    except UsageError as error:
        raise UsageError(f"{said}: {error}") from error
    return adapted


def _found(spec: str, said: str, root: Any) -> Any:
    from harness.agents.find_object import find_object

    module, colon, attribute = spec.partition(":")
    if not colon or not attribute or not module:
        what = "it has no colon" if not colon else "nothing stands on one side of its colon"
        raise UsageError(f"{said}: {what}; write package.module:name, without .py")
    try:
        return find_object(module, attribute, root=root)
    except UsageError as error:
        raise UsageError(f"{said}: {error}") from error


def _cases(source: str, settings: Settings, root: Any) -> tuple[Any, ...]:
    from harness.datasets import load_dataset

    there = settings.datasets / source
    return tuple(load_dataset(there if "/" not in source and there.exists() else source, root=root))


def check_reward_of(metafunc: pytest.Metafunc) -> None:
    """Refuse a reward that cannot be used while tests are collected, as a usage error.

    Only tests that ask for the harness's own fixture are looked at: a team may have a ``reward`` of its own.
    """
    from harness.core.errors import HarnessError
    from harness.plugin.collect import refused

    definitions = metafunc._arg2fixturedefs.get("reward")
    if not definitions or definitions[-1].func.__module__ != "harness.plugin.fixtures":
        return
    try:
        reward_of(metafunc.definition)
    except (HarnessError, pytest.UsageError) as error:
        raise refused(metafunc.config, error, metafunc.definition.nodeid) from None
