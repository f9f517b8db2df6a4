"""SocketGuard: in replay, nothing that a trial does may reach the network behind the gateway's back.

Python tells every connection and name look-up to its audit hooks (PEP 578), so nothing is patched. A hook cannot be
removed again; ours is installed by the first guard that is switched on, and does nothing while none is.

What it does not see: connections of subprocesses, of C libraries with sockets of their own, and of threads that were
started without the trial's context. A name look-up of asyncio happens in such a thread; the connection that follows it
does not.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from collections.abc import Collection
from types import TracebackType
from typing import Any

from harness.core.errors import RecordingMissing
from harness.core.exchange import CURRENT

_EVENTS = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.sendto",
        "socket.sendmsg",
    }
)
_LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
_guards: list[SocketGuard] = []
_lock = threading.Lock()
_installed = False


class SocketGuard:
    """Refuses connections of trials to anything but this machine, from :meth:`enable` to :meth:`disable`.

    Also a context manager. Only code that runs in a trial (a task or thread with the trial's context) is refused.

    :param allow: further host names or addresses that trials may reach (a team's test database).
    """

    def __init__(self, *, allow: Collection[str] = ()) -> None:
        self.allow = frozenset(host.lower() for host in allow)
        self.blocked = 0
        """Attempts refused so far; an agent may have swallowed the error."""

    def enable(self) -> None:
        """Begin to refuse. A second call changes nothing."""
        global _installed
        with _lock:
            if self not in _guards:
                _guards.append(self)
            if not _installed:
                sys.addaudithook(_hook)
                _installed = True

    def disable(self) -> None:
        """Refuse no longer. Harmless when not enabled."""
        with _lock:
            if self in _guards:
                _guards.remove(self)

    def __enter__(self) -> SocketGuard:
        self.enable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disable()


def is_local(host: Any) -> bool:
    """Whether a host, as given to a socket, is this machine. Names other than the usual ones are not looked up."""
    if host is None:
        return True
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    if not isinstance(host, str):
        return False
    name = host.strip("[]").partition("%")[0].lower().rstrip(".")
    if name in _LOCAL_NAMES or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    # Called for every audited thing in the process, imports included: the common way out comes first.
    if event not in _EVENTS or not _guards:
        return
    context = CURRENT.get()
    if context is None:
        return
    if event.startswith("socket.get"):
        host, port = args[0], args[1] if event == "socket.getaddrinfo" else None
    else:
        # Paths (AF_UNIX) and the kernel's own families never leave the machine; a connected socket has no address.
        if args[0].family not in (socket.AF_INET, socket.AF_INET6) or not args[1]:
            return
        host, port = args[1][0], args[1][1]
    if is_local(host):
        return
    shown = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    guards = tuple(_guards)
    if any(shown.lower() in guard.allow for guard in guards):
        return
    for guard in guards:
        guard.blocked += 1
    where = shown[:200] if port is None else f"{shown[:200]}:{port}"
    raise RecordingMissing(
        f"case {context.case.id!r} reached for the network ({where}) in replay mode, past the recordings. Only this "
        "machine may be reached. Call the model through the harness so that it can be recorded, or run live: "
        "--harness-mode=live"
    )
