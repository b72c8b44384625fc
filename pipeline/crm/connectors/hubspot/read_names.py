"""Whether the properties that are read are there.

HubSpot leaves a property that it does not know, or that is archived, out of its answers without a word. Holds that
people set in another one would not be heard, so nothing is read, and nobody written to, before all of them are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.crm.connectors.hubspot.batches import RECORD_ID
from pipeline.crm.connectors.hubspot.properties import Properties
from pipeline.crm.trouble import StopError, StopReason

_HINT: Final = (
    'name each as it stands under "Internal name" in HubSpot\'s property settings, in lower case, or restore it there; '
    "properties of sensitive data cannot be read."
)


class ReadNames:
    """The properties that were found to be there; HubSpot is asked once for all of them.

    Args:
        properties: HubSpot's settings.
        key: The property that tells contacts apart.
        target: The target's name in the config.
    """

    def __init__(self, properties: Properties, key: str, target: str) -> None:
        self._properties, self._key, self._target = properties, key, target
        self._known = {RECORD_ID}

    def require(self, names: Sequence[str]) -> None:
        """Return if the key and all of *names* are there.

        Raises:
            StopError: Some are not; each is named, with what may be meant.
        """
        new = [name for name in (self._key, *names) if name not in self._known]
        if not new:
            return
        faults = self._properties.absent(new)
        if faults:
            words = "; ".join(f"{self._place(name)}: {fault}" for name, fault in faults.items())
            raise StopError(words, reason=StopReason.SETUP, hint=_HINT)
        self._known.update(new)

    def _place(self, name: str) -> str:
        return f"crm.{self._target}.{'key' if name == self._key else 'read'}"
