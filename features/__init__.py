"""What was known about a lead at a moment: pure functions, tables in and tables out.

The package learns nothing, reads no clock and opens no connection. Import its modules by name
(``from features.timeline import Timelines``); this file stays light on purpose.
"""
