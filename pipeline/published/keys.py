"""How a lead is addressed where its id must not be seen: 13 letters and digits made of the id's hash.

A lead id may be an e-mail address, so none stands in a URL. Crockford's base32 has no letters that look alike; 13 of
its digits hold the 64 bits of `models.lead_hash`. Among a million leads, two share a key in one shop of 37 million.
"""

from __future__ import annotations

from base64 import b32encode
from functools import lru_cache
from typing import Final

import pyarrow as pa

from features.errors import LeadlightError, wrong_input
from models.lead_hash import lead_hash

_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PLACES: Final = 13
_BYTES: Final = 10
"""Five bytes are eight digits, so these are sixteen, of which the first three say nothing."""
_CROCKFORD: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _DIGITS.encode())
_VALUE: Final = {digit: value for value, digit in enumerate(_DIGITS)} | {"o": 0, "i": 1, "l": 1}
_MOST: Final = 2**64 - 1


@lru_cache(maxsize=4_096)
def of_lead(lead_id: str) -> int:
    """Return the key of a lead, below 2^64; a page asks for those of the same few again and again."""
    return int(lead_hash(pa.chunked_array([[lead_id]]))[0])


def text_of(key: int) -> str:
    """Return *key* as 13 characters of lower-case base32.

    Example:
        >>> text_of(0)
        '0000000000000'
    """
    return b32encode(key.to_bytes(_BYTES, "big"))[-_PLACES:].translate(_CROCKFORD).decode()


def key_of(text: str) -> int:
    """Return the key that *text* spells; letters may be capitals, and o, i, l are read as 0, 1, 1.

    Raises:
        LeadlightError: No key is spelt so.
    """
    values = [_VALUE.get(digit) for digit in text.lower()]
    if len(values) != _PLACES or None in values:
        raise _no_key()
    key = sum(value << 5 * place for place, value in enumerate(reversed(values)) if value)
    if key > _MOST:
        raise _no_key()
    return key


def _no_key() -> LeadlightError:
    """Return the error for an address that no lead can have; it is not repeated: it may be an e-mail address."""
    return wrong_input("This is no lead's address.", hint="open the lead from the list, or search for it there.")
