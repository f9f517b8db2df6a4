"""In replay, a trial reaches nothing but this machine; everybody else goes on as before."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from harness.core.case import Case
from harness.core.errors import RecordingMissing
from harness.core.exchange import CURRENT, TrialContext
from harness.core.record import Trial
from harness.runs.sockets import SocketGuard, is_local

ELSEWHERE = "192.0.2.1"  # TEST-NET-1 (RFC 5737): nobody is there


@contextmanager
def inside_a_trial() -> Iterator[None]:
    token = CURRENT.set(TrialContext(case=Case(id="c-1", input="x"), trial=Trial.of("c-1", 0)))
    try:
        yield
    finally:
        CURRENT.reset(token)


def refused_at_once(host: str) -> bool:
    """Whether connecting is refused by the guard; a socket that would reach out is given up before it does."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.setblocking(False)
        try:
            made.connect((host, 9))
        except RecordingMissing:
            return True
        except OSError:
            return False
        return False


def test_a_connection_to_elsewhere_is_refused_inside_a_trial() -> None:
    with SocketGuard() as guard, inside_a_trial():
        with pytest.raises(
            RecordingMissing, match=r"'c-1' reached for the network \(192\.0\.2\.1:9\).*--harness-mode=live"
        ):
            socket.create_connection((ELSEWHERE, 9), timeout=0.01)
        assert guard.blocked >= 1


def test_looking_up_a_name_is_refused_too() -> None:
    with SocketGuard(), inside_a_trial(), pytest.raises(RecordingMissing, match=r"api\.example\.com"):
        socket.getaddrinfo("api.example.com", 443)


def test_a_datagram_to_elsewhere_is_refused() -> None:
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with SocketGuard(), inside_a_trial(), datagrams, pytest.raises(RecordingMissing):
        datagrams.sendto(b"x", (ELSEWHERE, 9))


def test_aiohttp_in_a_task_of_the_trial_is_refused() -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises((RecordingMissing, aiohttp.ClientError, BaseExceptionGroup)):
                await session.get(f"http://{ELSEWHERE}:9/", timeout=aiohttp.ClientTimeout(total=2))

    with SocketGuard() as guard, inside_a_trial():
        asyncio.run(main())
        assert guard.blocked >= 1


def test_a_thread_that_carries_the_trial_is_refused() -> None:
    async def main() -> bool:
        return await asyncio.to_thread(refused_at_once, ELSEWHERE)

    with SocketGuard(), inside_a_trial():
        assert asyncio.run(main())


def test_this_machine_may_be_reached(tmp_path: Path) -> None:
    with SocketGuard() as guard, inside_a_trial(), socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        socket.create_connection(server.getsockname(), timeout=2).close()
        with socket.socket(socket.AF_UNIX) as path_server, socket.socket(socket.AF_UNIX) as client:
            path_server.bind(str(tmp_path / "s"))
            path_server.listen()
            client.connect(str(tmp_path / "s"))
        assert guard.blocked == 0


def test_outside_a_trial_nothing_is_refused() -> None:
    with SocketGuard() as guard:
        refused_at_once("127.0.0.1")
        assert not refused_at_once(ELSEWHERE)
        assert guard.blocked == 0


def test_a_guard_that_was_disabled_refuses_nothing_and_another_goes_on() -> None:
    one, two = SocketGuard(), SocketGuard()
    one.enable()
    two.enable()
    one.disable()
    with inside_a_trial():
        assert refused_at_once(ELSEWHERE)
        two.disable()
        assert not refused_at_once(ELSEWHERE)


def test_a_host_that_the_team_allows_may_be_reached() -> None:
    with SocketGuard(allow=[ELSEWHERE]), inside_a_trial():
        assert not refused_at_once(ELSEWHERE)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "localhost",
        "LOCALHOST.",
        "",
        None,
        b"localhost",
        "0.0.0.0",
        "::ffff:127.0.0.1",
        "::1%lo",
        "a.localhost",
    ],
)
def test_names_of_this_machine(host: object) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "localhost.example.com", "127.0.0.1.example.com", "2001:db8::1", "10.0.0.1", 7]
)
def test_names_of_other_machines(host: object) -> None:
    assert not is_local(host)
