"""Marketo Engage: leads by its REST API, many of them as imported files.

Which way rows go:

* Up to ``bulk_from`` rows: calls of 300 records, answered row by row.
* More, and leads may be created: files. An import always creates what it does not find (the published description has
  no action for it), and its queue takes 10, of which 2 run.
* More, and leads must not be created: calls of 300 all the same. To import safely, each key would have to be looked up
  first, 300 a call, which is as many calls as writing them with ``updateOnly``, and still leaves a gap between looking
  and writing. Only with Marketo's own ``id`` as key are files imported in any case: by it an import creates nothing.

``updateOnly`` is also what keeps two calls on one key from creating it twice. Where leads may be created, a call whose
answer was lost is therefore not made again at once.
"""

from __future__ import annotations

from typing import Final

from pipeline.crm.connectors.marketo.connector import connect, places
from pipeline.crm.connectors.marketo.options import MarketoOptions
from pipeline.crm.kinds import ConnectorKind

KIND: Final = ConnectorKind(options=MarketoOptions, connect=connect, places=places)
