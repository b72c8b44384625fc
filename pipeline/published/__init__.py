"""Published scores as they are read: pages of the list, one lead, its history.

`pipeline.published.editions.Published` opens an `Edition`, which is bound to one manifest: whoever holds it reads the
same run until they let go, whatever a nightly run publishes meanwhile.
"""
