"""Compiled kernels: never out of date, kept where possible, compiled for one set of types."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numba.core.caching
import numpy as np
import pytest
import worlds

from features import compiled, kernel, kernel_distinct, kernel_labels, kernel_outputs, kernel_windows
from features.labels import Conversion, label
from features.sweeping import compute

KERNEL = """
import sys
import numpy as np
import part
from features import compiled

inlined_step = compiled.inlined(part.step)

@compiled.kernel(part)
def add(out):
    out[0] = inlined_step(out[0])

found = np.zeros(1, dtype=np.int64)
compiled.run(add, found)
print(found[0], sum(add.stats.cache_hits.values()))
"""


@pytest.fixture
def run_kernel(tmp_path, monkeypatch):
    """Return a function that starts a process with a kernel of two modules and a cache of its own."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(compiled.__file__).parents[1])]))
    (tmp_path / "main.py").write_text(KERNEL)

    def start(step):
        part = tmp_path / "part.py"
        part.write_text(f"def step(x):\n    return x + {step}\n")
        os.utime(part, (0, 0))
        command = [sys.executable, "-B", str(tmp_path / "main.py")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start


def printed(process):
    """Return what a process printed, once it has ended well."""
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return [int(word) for word in out.split()]


@pytest.mark.slow
def test_kept_code_is_found_again_and_never_when_it_is_out_of_date(run_kernel):
    """Two processes compile at once and a third finds what they kept; when only a part changes, nothing is found."""
    both = [run_kernel(1), run_kernel(1)]
    assert [printed(process)[0] for process in both] == [1, 1]
    assert printed(run_kernel(1)) == [1, 1]
    assert printed(run_kernel(2)) == [2, 0]


def test_without_a_folder_to_keep_it_a_kernel_is_compiled_all_the_same(monkeypatch):
    """Where neither the package nor the user's cache can be written, each process compiles for itself."""
    monkeypatch.setattr(numba.core.caching.CacheImpl, "_locator_classes", [])
    assert _doubled() == 2


def test_a_full_disk_does_not_stop_a_kernel(monkeypatch):
    """Code that cannot be kept is used all the same."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "save", full)
    assert _doubled() == 2


def _doubled():
    @compiled.kernel()
    def double(out):
        out[0] *= 2

    found = np.ones(1, dtype=np.int64)
    compiled.run(double, found)
    return int(found[0])


def test_the_fingerprint_is_of_the_content(tmp_path):
    """Equal files have equal fingerprints wherever they lie; one character makes another."""
    files = [tmp_path / name for name in ("a.py", "b.py", "c.py")]
    for file, text in zip(files, ("x = 1\n", "x = 1\n", "x = 2\n"), strict=True):
        file.write_text(text)
    a, b, c = (compiled.fingerprint((str(file),)) for file in files)
    assert a == b != c


def test_the_kernels_know_every_module_that_is_compiled_into_them():
    """The names under which machine code is kept hold the fingerprint of the sources."""
    names = ("kernel", "compiled", "moments", "kernel_inputs", "kernel_distinct", "kernel_windows", "kernel_outputs")
    files = tuple(sys.modules[f"features.{name}"].__file__ for name in names)
    assert compiled.fingerprint(files) in kernel._sweep.py_func.__qualname__
    inlined = {
        part.__module__
        for module in (kernel, kernel_distinct, kernel_outputs, kernel_windows)
        for name in vars(module)
        if (part := getattr(getattr(module, name), "py_func", None)) is not None
    }
    assert inlined <= {f"features.{name}" for name in names}


@pytest.mark.parametrize("layout", worlds.LAYOUTS)
def test_a_kernel_is_compiled_once(layout):
    """However columns lie in memory, the kernels see one set of types: a second would cost seconds."""
    row = {"lead": 0, "occurred": worlds.START, "known": worlds.START, "until": worlds.START + worlds.DAY, "bits": 0,
           "id": "a", "amount": 1, "discount": None, "items": None, "category": "a", "is_cancelled": False}  # fmt: skip
    catalog = [f for f in worlds.every_measure() if f.measure.table in ("orders", "")]
    for rows in ([], [row], [row, {**row, "until": None, "lead": 1, "id": "b"}]):
        world = worlds.TimelineWorld({"orders": rows}, {"orders": (0, worlds.START)}, [worlds.START] * 2, layout)
        for pairs in ([], [(0, worlds.START + 1)], [(0, worlds.START + 1), (1, worlds.START + 1)]):
            asked = worlds.snapshots_of(pairs)
            for some in (catalog, catalog[:1], catalog[-3:]):
                compute(world.timelines(), asked, some)
            label(world.timelines(), asked, Conversion("orders"))
    assert len(kernel._sweep.signatures) == 1
    assert len(kernel_labels._first_conversions.signatures) == 1
