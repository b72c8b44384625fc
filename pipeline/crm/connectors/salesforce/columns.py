"""Which fields each object has, as far as the integration user may see them.

Field-level security hides a field as if it were not there. For what is told of a lead one object is enough: only leads
have a ``Status``. The override must be seen on every object, since a hold that nobody hears is a lead that is written
against somebody's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.crm.connectors.salesforce.api import Api
from pipeline.crm.connectors.salesforce.describing import described
from pipeline.crm.connectors.salesforce.soql import checked_name
from pipeline.crm.trouble import StopError, StopReason

_SEEN: Final = "let an admin give the integration user read access to it (field-level security)"
_HINT: Final = f"correct the name in the config, letter by letter the field's API name; or {_SEEN}."
_OVERRIDE_HINT: Final = (
    f"make the field on each of connect.objects where it is missing, and {_SEEN}; or leave the object out there."
)


class Columns:
    """The fields of each object.

    Args:
        api: The org.
        objects: Where leads are.
        target: How the config calls the target.
        override: The field by which people hold leads; empty = there is none.
    """

    def __init__(self, api: Api, objects: Sequence[str], *, target: str, override: str) -> None:
        self._api, self._objects, self._target, self._override = api, objects, target, override
        self._known: dict[str, frozenset[str]] = {}

    def of(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Return which of *names* each object has."""
        if not self._known:
            self._known = {table: frozenset(described(self._api, table).fields) for table in self._objects}
        return {table: [name for name in names if name in known] for table, known in self._known.items()}

    def require(self, names: Sequence[str], *, entry: str) -> None:
        """See to it that all of *names* can be read.

        Args:
            names: Fields.
            entry: What of the target's config names them: ``fields`` or ``read``.

        Raises:
            StopError: An object does not show the override, or none shows another of them.
        """
        had = self.of(names)
        deaf = [table for table, own in had.items() if self._override in names and self._override not in own]
        if deaf:
            place = f"{' and '.join(deaf)} (crm.{self._target}.read.override)"
            words = f"The integration user sees no {checked_name(self._override)} on {place}: holds would go unheard."
            raise StopError(words, reason=StopReason.SETUP, hint=_OVERRIDE_HINT)
        lacking = [checked_name(name) for name in names if not any(name in own for own in had.values())]
        if lacking:
            place = f"{' or '.join(self._objects)} (crm.{self._target}.{entry})"
            words = f"The integration user sees no {', '.join(lacking)} on {place}."
            raise StopError(words, reason=StopReason.SETUP, hint=_HINT)
