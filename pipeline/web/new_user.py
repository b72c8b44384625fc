"""A new user: a line for the environment, or for the file that the environment names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from features.errors import wrong_input
from pipeline.web.users import USERS, USERS_FILE, HashesOfFile, is_name, user_line


def checked_name(name: str) -> None:
    """Refuse a name that no user can have, before anybody thinks of a password.

    Raises:
        LeadlightError: It cannot stand in a line of users.
    """
    if not is_name(name):
        raise wrong_input(
            "A user's name is 1 to 100 visible characters without a colon, and does not begin with '#'.",
            hint="take letters, such as ann.",
        )


def add(name: str, password: str, *, environment: Mapping[str, str]) -> str:
    """Add a user to the file that the environment names, and return what to tell; without one, return the line.

    Raises:
        LeadlightError: The password is too short, the user is there already, or the file cannot be written.
    """
    checked_name(name)
    line = user_line(name, password)
    file = environment.get(USERS_FILE, "")
    if not file:
        return f"{line}\n\nPut this line into the environment as {USERS}, or into a file named in {USERS_FILE}."
    path = Path(file)
    if path.exists() and name in HashesOfFile(file):
        raise wrong_input(
            f"There is a user '{name}' already.", hint=f"remove the line from '{path}' first, to give a new password."
        )
    try:
        _append(path, line)
    except OSError as error:
        raise wrong_input(
            f"'{path}' cannot be written: {str(error.strerror).lower()}.", hint=f"{USERS_FILE} names it."
        ) from error
    return f"User '{name}' may log in. The line stands in '{path}'."


def _append(path: Path, line: str) -> None:
    # Made for its owner alone: hashes are no passwords, but nobody needs to try.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as out:
        size = out.seek(0, os.SEEK_END)
        out.seek(max(size - 1, 0))
        # Editors leave last lines open, and two users on one line are none.
        begun = b"" if out.read(1) in (b"", b"\n") else b"\n"
        out.write(begun + line.encode() + b"\n")
