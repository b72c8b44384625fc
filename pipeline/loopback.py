"""What stays on this machine: only that may travel without TLS unless somebody says otherwise."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine itself.

    Example:
        >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("db.example.com")
        (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
