"""Memory that is free goes back to the system where its allocator offers a way to; elsewhere nothing breaks."""

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.apart import apart
from pipeline.spare_memory import give_back

MB = 1_000_000
HAS_TRIM = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")


def held() -> int:
    """Return the bytes of memory that this process holds for itself."""
    told = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in told if line.startswith("RssAnon"))


def given_back() -> int:
    """Return how many bytes are given back of 100 MB in small blocks, all but one in a hundred of which are free."""
    blocks = [bytes(1_000) for _ in range(100_000)]
    blocks = blocks[::100]
    before = held()
    give_back()
    return before - held() if blocks else 0


@pytest.mark.skipif(not HAS_TRIM, reason="only glibc offers it")
def test_free_memory_between_blocks_in_use_goes_back():
    """The heap by itself would keep it all."""
    assert apart(given_back) > 50 * MB


def test_a_system_without_a_way_to_is_left_as_it_is(monkeypatch):
    """As musl, whose libc has no such function."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    give_back()
