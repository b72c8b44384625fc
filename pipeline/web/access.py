"""Who may come in: decided once, when the app starts.

======================  ===================================================================================
loopback, no users      whoever sits at this machine, as the user ``local``
users in the            a password, and a signed session cookie
environment
app.trusted_header      the user that a proxy names, believed from ``app.trusted_proxies`` alone
======================  ===================================================================================

On any other address than loopback, or under a name for others (``app.hosts``, behind a proxy), one of the last two is
needed, or the app does not start.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final, Literal, TypeAlias

from features.errors import LeadlightError, wrong_input
from pipeline.settings_app import AppSettings
from pipeline.web.users import USERS, USERS_FILE, Users, users_from

SECRET: Final = "LEADLIGHT_SECRET_KEY"  # noqa: S105 - the name of a variable
LEAST_SECRET: Final = 32
LOCAL_USER: Final = "local"
Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Access:
    """How users are known.

    Attributes:
        kind: ``local``: nobody asks; ``password``: they log in; ``proxy``: a proxy says.
        secret: What cookies are signed with.
        is_loopback: Whether the app is reached from this machine alone.
        users: Everyone who may log in, for ``password``.
        header: Where the proxy names the user, for ``proxy``.
        proxies: Whose word counts, about users and about addresses.
    """

    kind: Literal["local", "password", "proxy"]
    secret: str
    is_loopback: bool = True
    users: Users | None = None
    header: str = ""
    proxies: tuple[Network, ...] = ()

    def is_proxy(self, address: str) -> bool:
        """Return whether *address* is that of a proxy which is named in the config."""
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None)
        return any((mapped or peer) in network for network in self.proxies)


def access_of(settings: AppSettings, *, host: str, environment: Mapping[str, str]) -> Access:
    """Return how users are known where the app is bound to *host*.

    Raises:
        LeadlightError: The address can be reached by others and nothing would stop them, or a secret is missing
            or weak.
    """
    is_loopback = is_loopback_address(host)
    proxies = tuple(ip_network(one, strict=False) for one in settings.trusted_proxies)
    if settings.trusted_header:
        if not proxies:
            raise _no_proxies()
        secret = _secret(environment, is_needed=not is_loopback)
        return Access("proxy", secret, is_loopback, header=settings.trusted_header, proxies=proxies)
    users = users_from(environment)
    if users is not None:
        return Access("password", _secret(environment, is_needed=True), is_loopback, users=users, proxies=proxies)
    if not is_loopback:
        raise _open_to_all(f"On '{host}'")
    others = [name for name in settings.hosts if not is_loopback_address(name)]
    if others:
        raise _open_to_all(f"Under '{others[0]}' (app.hosts)")
    return Access("local", _secret(environment, is_needed=False))


def is_loopback_address(host: str) -> bool:
    """Return whether only this machine can reach *host*."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _secret(environment: Mapping[str, str], *, is_needed: bool) -> str:
    named = environment.get(SECRET, "")
    if not named:
        if is_needed:
            raise _no_secret()
        return secrets.token_urlsafe(32)
    secret = _from_file(named) if _is_file(named) else named
    if len(secret) < LEAST_SECRET:
        raise wrong_input(
            f"{SECRET} holds fewer than {LEAST_SECRET} characters: a login could be forged.", hint=_MAKE_SECRET
        )
    return secret


def _is_file(named: str) -> bool:
    """Return whether a file is meant: one that is there, or one that is missing, whose name would be no secret."""
    # Neither form of base64 has a dot or begins so.
    is_there = os.path.isfile(named)  # noqa: PTH113 - `Path` raises where a secret is too long for a file's name
    return is_there or named.startswith(("/", "./", "../", "~")) or {"/", "."} <= set(named)


def _from_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise wrong_input(f"{SECRET} names '{path}', which cannot be read as text.", hint=_MAKE_SECRET) from error


_MAKE_SECRET: Final = (
    f"python3 -c 'import secrets; print(secrets.token_urlsafe(48))' makes one; give it in {SECRET}, or in a file "
    "that is named there."
)


def _no_secret() -> LeadlightError:
    return wrong_input(f"Logins are signed with a secret, and {SECRET} is not in the environment.", hint=_MAKE_SECRET)


def _no_proxies() -> LeadlightError:
    return wrong_input(
        "app.trusted_header names a header, but app.trusted_proxies names nobody whose word counts.",
        hint="list the proxy's address there, such as 10.0.0.5 or 127.0.0.1.",
    )


def _open_to_all(where: str) -> LeadlightError:
    return wrong_input(
        f"{where} others can reach the app, and nothing would ask them who they are.",
        hint=f"`leadlight serve --add-user NAME` makes a user for {USERS} or {USERS_FILE}; or name a proxy's header in "
        "app.trusted_header; or keep to --host 127.0.0.1.",
    )
