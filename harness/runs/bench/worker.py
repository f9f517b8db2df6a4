"""The process that calls one function over and over for a comparison. Run by its path, with the function's tree as cwd.

It imports nothing of the harness, because the tree under test may hold an older harness of its own. Orders come as
JSON lines, ``{"calls": n}`` for the mean seconds of n calls or ``{"seconds": s}`` for how many calls fit into s;
what the function prints goes to standard error.
"""

import asyncio
import gc
import importlib
import inspect
import json
import os
import sys
from time import perf_counter
from typing import Any


def find(spec: str) -> Any:
    """The callable ``module:function`` (dots after the colon go into objects); a coroutine function is awaited."""
    module, _, name = spec.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{spec} is {type(found).__name__}, not a function")
    if inspect.iscoroutinefunction(found):
        loop = asyncio.new_event_loop()
        return lambda: loop.run_until_complete(found())
    return found


def block(call: Any, count: int) -> float:
    """Mean seconds per call over ``count`` calls."""
    repeats = range(count)
    gc.collect()
    gc.disable()
    start = perf_counter()
    for _ in repeats:
        call()
    end = perf_counter()
    gc.enable()
    return (end - start) / count


def fitting(call: Any, seconds: float) -> int:
    """How many calls fit into ``seconds``, at least 1."""
    count = 1
    while True:
        per_call = block(call, count)
        if per_call * count >= seconds / 4 or count >= 1 << 24:
            return max(1, int(seconds / max(per_call, 1e-9)))
        count *= 2


def main() -> None:
    """Answer orders until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if len(sys.argv) > 2 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[2])})
    sys.path[:0] = [path for path in (os.getcwd(), os.path.join(os.getcwd(), "src")) if os.path.isdir(path)]
    try:
        call = find(sys.argv[1])
        call()
    except Exception as error:  # noqa: BLE001 - told to the one who asked, whatever it is
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers)
        return
    print(json.dumps({"ready": True}), file=answers)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            told: dict[str, Any]
            if "seconds" in order:
                told = {"calls": fitting(call, order["seconds"])}
            else:
                told = {"seconds": block(call, order["calls"])}
        except Exception as error:  # noqa: BLE001
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), file=answers)


if __name__ == "__main__":
    main()
