"""Users of the app: names and argon2 hashes from the environment, or from a file named there.

One user per line, ``name:$argon2id$…``; empty lines and lines that begin with # are passed over. The hashes are never
in the config.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

from features.errors import LeadlightError, wrong_input
from pipeline.same_file import stands

LOG = logging.getLogger("pipeline.web")
USERS: Final = "LEADLIGHT_USERS"
USERS_FILE: Final = "LEADLIGHT_USERS_FILE"
LEAST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 1024
LONGEST_NAME: Final = 100
_HASHER: Final = PasswordHasher()
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$zXJNu0pIOX9WWGYEZLqSnw$ogNjTQcje+qiQE3lpWANXeYtjvMNfTd6v3hayXAywOI"
"""The hash of a password that nobody has, as dear to check as a user's."""
_AT_ONCE: Final = 2
"""Passwords checked at the same time: each takes 64 MB for a moment."""


@dataclass(frozen=True)
class Users:
    """Everyone who may log in.

    Attributes:
        hashes: Each user's argon2 hash by name.
    """

    hashes: Mapping[str, str]
    _turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_AT_ONCE), repr=False, compare=False)

    def is_password(self, name: str, password: str) -> bool:
        """Return whether *password* is that of *name*; it takes as long where there is no such user."""
        if len(password) > LONGEST_PASSWORD:
            return False
        stored = self.hashes.get(name)
        with self._turns:
            try:
                is_right = _HASHER.verify(stored or _NOBODY, password)
            except (Argon2Error, InvalidHashError):
                return False
        return is_right and stored is not None

    def stamp(self, name: str) -> str:
        """Return what changes with the user's password, empty where there is no such user: old logins end with it."""
        stored = self.hashes.get(name)
        return hashlib.sha256(stored.encode()).hexdigest()[:16] if stored else ""

    def is_stamp(self, name: str, stamp: str) -> bool:
        """Return whether *stamp* is that of the user's present password."""
        now = self.stamp(name)
        return bool(now) and hmac.compare_digest(now.encode(), stamp.encode())


def users_from(environment: Mapping[str, str]) -> Users | None:
    """Return the users that the environment names, or None where it names none.

    Raises:
        LeadlightError: The file is not there, a line is no user, or there is no user: who wants logins must not be
            served without any.
    """
    file, text = environment.get(USERS_FILE, ""), environment.get(USERS, "")
    if not file and not text:
        return None
    hashes = HashesOfFile(file) if file else hashes_in(text, USERS)
    if not hashes:
        raise _no_users(f"{USERS_FILE} ({file})" if file else USERS)
    return Users(hashes)


class HashesOfFile(Mapping[str, str]):
    """The hashes of a file of users by name, as it stands now: who is taken out of it is out at once.

    Args:
        file: The file.

    Raises:
        LeadlightError: It cannot be read, or a line is no user. Later on nobody is a user while that is so.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._stands, self._hashes = stands(Path(file)), _hashes_of(file)

    def __getitem__(self, name: str) -> str:
        """Return a user's hash."""
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        """Return the users' names."""
        return iter(self._now())

    def __len__(self) -> int:
        """Return how many users there are."""
        return len(self._now())

    def _now(self) -> Mapping[str, str]:
        found = stands(Path(self._file))
        if found != self._stands:
            try:
                self._hashes = _hashes_of(self._file)
            except LeadlightError as error:
                LOG.error("Nobody can log in: %s", error)  # noqa: TRY400 - it tells all there is
                self._hashes = {}
            self._stands = found
        return self._hashes


def _hashes_of(file: str) -> dict[str, str]:
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = str(error.strerror).lower() if isinstance(error, OSError) else "it is no text"
        raise wrong_input(
            f"{USERS_FILE} names '{file}', which cannot be read: {why}.",
            hint="make it with `leadlight serve --add-user NAME`, readable for the app alone.",
        ) from error
    return hashes_in(text, f"{USERS_FILE} ({file})")


def user_line(name: str, password: str) -> str:
    """Return the line that lets *name* log in with *password*.

    Raises:
        LeadlightError: The password is too short or too long.
    """
    if not LEAST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise wrong_input(
            f"A password has {LEAST_PASSWORD} to {LONGEST_PASSWORD} characters.", hint="a few words make a good one."
        )
    return f"{name}:{_HASHER.hash(password)}"


def hashes_in(text: str, place: str) -> dict[str, str]:
    """Return the hashes that lines of users hold, by name.

    Args:
        text: The lines.
        place: Where they stand, for the message.

    Raises:
        LeadlightError: A line is no user.
    """
    lines = [line.strip() for line in text.splitlines()]
    entries = [line for line in lines if line and not line.startswith("#")]
    found: dict[str, str] = {}
    faults = []
    for number, entry in enumerate(entries, start=1):
        name, _, stored = entry.partition(":")
        if not is_name(name) or not _is_hash(stored):
            faults.append(f"entry {number}: not of the form name:$argon2id$…")
        elif name in found:
            faults.append(f"entry {number}: a user with this name stands further up")
        found[name] = stored
    if faults:
        raise _bad_users(place, faults)
    return found


def is_name(name: str) -> bool:
    """Return whether a line of users can hold *name*."""
    return (
        0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and ":" not in name
        and name == name.strip()
        and name[0] != "#"
    )


def _is_hash(stored: str) -> bool:
    try:
        extract_parameters(stored)
    except InvalidHashError:
        return False
    return True


def _bad_users(place: str, faults: list[str]) -> LeadlightError:
    return wrong_input(
        f"{place} holds lines that are no users:", faults, hint="`leadlight serve --add-user NAME` makes one."
    )


def _no_users(place: str) -> LeadlightError:
    return wrong_input(
        f"{place} holds no user, so nobody could log in.",
        hint=f"`leadlight serve --add-user NAME` makes one; without {USERS} and {USERS_FILE} nobody is asked, on "
        "loopback alone.",
    )
