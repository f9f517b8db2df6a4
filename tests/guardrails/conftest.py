"""A Redis server of the machine's own, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a socket file, stopped at the end."""
    redis = pytest.importorskip("redis", reason="needs the redis package: pip install 'harness[redis]'")
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("needs a Redis server: apt-get install redis-server")
    folder: Path = tmp_path_factory.mktemp("redis")
    socket = folder / "s"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = redis.Redis(unix_socket_path=str(socket))
        for _ in range(500):
            try:
                client.ping()
                break
            except redis.exceptions.ConnectionError:
                time.sleep(0.02)
        client.close()
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(10)
