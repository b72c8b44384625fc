"""Memory that is free and that allocators keep for later, given back: work that follows needs its own."""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa


def give_back() -> None:
    """Give the system what allocators hold of free memory; where they offer no way to, nothing is done."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        # Only glibc has it. Small blocks of rows lie scattered over the heap, which by itself shrinks at its end alone.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
