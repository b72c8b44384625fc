"""The Arrow type of a moment in tables: microseconds in UTC."""

from typing import Final

import pyarrow as pa

MOMENT: Final = pa.timestamp("us", tz="UTC")
