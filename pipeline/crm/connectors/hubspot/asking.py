"""Questions to HubSpot: asked again as long as what it says makes no sense.

Who was left out of a garbled list is not known, so no such list is taken for an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from pipeline.crm.connectors.hubspot.judging import object_in
from pipeline.crm.connectors.hubspot.words import short
from pipeline.crm.http import Http
from pipeline.crm.patience import Breaker, Patience, patiently
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason

T = TypeVar("T")
_HINT: Final = "see the target's mapping, and what the private app may do in HubSpot."


class Asking:
    """Calls that change nothing.

    Args:
        http: HubSpot.
        patience: How long answers without sense are waited out.
    """

    def __init__(self, http: Http, patience: Patience) -> None:
        self._http, self._patience = http, patience
        self._breaker = Breaker(patience)

    def ask(
        self,
        method: str,
        path: str,
        understood: Callable[[dict[str, Any]], T],
        **rest: Any,  # noqa: ANN401 - those of a call
    ) -> T:
        """Return what *understood* makes of the answer's object; it raises `RetryError` where that makes no sense.

        Raises:
            StopError: HubSpot stops it, or patience has ended.
            BatchRefusedError: HubSpot finds fault with what is asked.
        """

        def once() -> T:
            body = object_in(self._http.ask(method, path, **rest))
            if body is None:
                raise RetryError("HubSpot's answer is no JSON object.")
            return understood(body)

        return patiently(once, self._patience, self._breaker)


def listed(body: dict[str, Any], things: str) -> list[dict[str, Any]]:
    """Return the objects that an answer lists.

    Raises:
        RetryError: It holds no list of objects; *things* says of what.
    """
    found = body.get("results")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RetryError(f"HubSpot's answer lists no {things}.")
    return found


@contextmanager
def no_batch() -> Iterator[None]:
    """Turn a refusal into a stop where there is no batch that could be halved."""
    try:
        yield
    except BatchRefusedError as error:
        raise StopError(short(error.words), reason=StopReason.SETUP, hint=_HINT) from error
