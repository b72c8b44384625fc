"""What every test may lean on: where the code came from, where real data lies, how to run the command."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

#: The repository, also where the tests run from a copy of their own beside the wheel.
CHECKOUT = Path(os.environ.get("LEADLIGHT_CHECKOUT", Path(__file__).parents[1]))
#: Where the wheel was installed; empty in a checkout.
WHEEL_SITE = os.environ.get("LEADLIGHT_WHEEL_SITE", "")
PACKAGES = ("features", "models", "pipeline")

# The first example pays for compiling a kernel, so no example has a deadline. What fails here must
# fail again for the next person: examples are drawn the same way in every run.
settings.register_profile(
    "leadlight",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "leadlight"))


@pytest.fixture(scope="session", autouse=True)
def _tests_give_way_to_nobody() -> Iterator[None]:
    """A command that runs in this process must not lower the priority of the tests behind it."""
    with pytest.MonkeyPatch.context() as patched:
        for command in ("nightly", "scoring"):
            patched.setattr(f"pipeline.cli.{command}.give_way", lambda _: None)
        yield


def pytest_sessionstart() -> None:
    """Stop at once where the code under test is not the code that is meant."""
    expected = Path(WHEEL_SITE) if WHEEL_SITE else CHECKOUT
    for name in PACKAGES:
        spec = find_spec(name)
        found = Path(str(spec.origin)).resolve() if spec else None
        if found is None or found.parent != (expected / name).resolve():
            pytest.exit(f"{name} comes from {found}, not from {expected}", returncode=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, with the reason, what only a wheel can show."""
    if WHEEL_SITE:
        return
    reason = pytest.mark.skip(reason="speaks about the built wheel: run `make test`")
    for item in items:
        if "wheel" in item.keywords:
            item.add_marker(reason)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the repository, for tests about its own files."""
    return CHECKOUT


@pytest.fixture(scope="session")
def wheel_site() -> Path:
    """Return the folder into which the wheel was installed."""
    return Path(WHEEL_SITE)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return a function that finds a file of real data, or skips the test where it is absent."""
    folder = Path(os.environ.get("LEADLIGHT_SHARED_DATA", CHECKOUT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            pytest.skip(f"real data is not here: {name} in ../shared/data")
        return path

    return find


@pytest.fixture
def leadlight(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the installed command in an empty folder, as a person would."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "leadlight"), *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "120", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
