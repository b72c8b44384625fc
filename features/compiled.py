"""Compiled functions: how they are compiled, and where the machine code is kept between processes.

numba keeps machine code in files beside the source, else in the user's cache folder, and judges by
the function's own source alone whether it still holds. A kernel is made of functions of several
modules, so here the files are named after the content of *all* sources: code that is out of date
is never found. Where nothing can be kept (no writable folder, a full disk) each process compiles
for itself.
"""

# numba's decorators and what they return are untyped.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import numba as nb

inlined = nb.njit(forceinline=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
"""Compile a part of a kernel into it.

Without reference counting: the arrays outlive the call, and counting cost half the time. Without
wrappers for callers outside: a part has none, and they cost a fifth of the compilation. Divisions
are not checked for zero one by one, so that loops of them become vector instructions.
"""

_OPTIONS = {"nogil": True, "_nrt": False, "no_cfunc_wrapper": True, "error_model": "numpy"}


def kernel(*modules: ModuleType) -> Callable[[Any], Any]:
    """Return the decorator that compiles a kernel which allocates nothing, and keeps its machine code.

    Args:
        modules: The modules, beside the kernel's own, whose code is compiled into it.
    """
    return kept(*modules, **_OPTIONS)


def kept(*modules: ModuleType, **options: object) -> Callable[[Any], Any]:
    """Return the decorator that compiles a function with *options* and keeps its machine code where it can.

    Args:
        modules: The modules, beside the function's own, whose code is compiled into it.
        options: What `numba.njit` takes.
    """

    def compiled(function: Any) -> Any:  # noqa: ANN401 - numba's dispatcher has no type
        sources = (function.__code__.co_filename, *(str(module.__file__) for module in modules))
        try:
            # The name is part of the file's name, and nothing else hangs on it.
            function.__qualname__ += f"_{fingerprint(sources)}"
            return nb.njit(cache=True, **options)(function)
        except (RuntimeError, OSError):  # numba found no folder to write to, or we no source to read
            return nb.njit(**options)(function)

    return compiled


def run(compiled: Any, *arguments: object) -> None:  # noqa: ANN401 - numba's dispatcher has no type
    """Call a kernel, which compiles it on first use; that the code could not be kept does not matter."""
    try:
        compiled(*arguments)
    except OSError:
        # The disk is full or has become read-only: the code is compiled by now, only not kept.
        compiled(*arguments)


def fingerprint(sources: tuple[str, ...]) -> str:
    """Return 16 hexadecimal digits that change with the content of the files *sources*."""
    digest = sha256()
    for source in sources:
        digest.update(sha256(Path(source).read_bytes()).digest())
    return digest.hexdigest()[:16]
