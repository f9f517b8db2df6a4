"""Trajectories in compressed chunks."""

from __future__ import annotations

import base64
import json
import os
import zlib

from harness.reporting.chunk_store import ChunkStore, Place


def views(store: ChunkStore) -> dict[str, list[object]]:
    return {name: json.loads(zlib.decompress(base64.b64decode(text))) for name, text in store.chunks()}


def test_every_view_is_found_again_at_its_place() -> None:
    with ChunkStore(chunk_bytes=50) as store:
        places = [store.add(json.dumps({"n": number}).encode(), failing=number % 3 == 0) for number in range(100)]
        store.finish()
        found = views(store)
        for number, place in enumerate(places):
            assert place is not None
            assert found[f"{place.lane}{place.chunk}"][place.position] == {"n": number}


def test_when_the_page_is_full_passing_ones_are_left_out_first() -> None:
    def noise(number: int) -> bytes:
        return json.dumps({"n": number, "noise": os.urandom(400).hex()}).encode()

    with ChunkStore(page_bytes=4_000, chunk_bytes=500) as store:
        for number in range(8):
            store.add(noise(number), failing=False)
        for number in range(4):
            store.add(noise(number), failing=True)
        store.finish()
        kept = store.kept()
        assert kept["f"] == 4
        assert 0 < kept["p"] < 8
        packed = sum(len(base64.b64decode(text)) for _, text in store.chunks())
        assert packed <= 4_000


def test_a_lane_beyond_the_page_is_not_even_compressed() -> None:
    with ChunkStore(page_bytes=10, chunk_bytes=1) as store:
        assert store.add(b'"first"', failing=True) == Place("f", 0, 0)
        assert store.add(b'"second"', failing=True) is None
