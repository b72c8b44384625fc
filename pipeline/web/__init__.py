"""The web app for marketers: pages, their data as JSON, and who may see them.

create_app(settings)      the whole app; `leadlight serve` runs it

access, sessions, users, attempts, gate     who is asking, and whether they may
shell, hosts, bodies                        what surrounds every answer: headers and the log, host names, sizes
listing, lead, groups, …                    what a page shows, the same for HTML and JSON
pages/, api/                                one file per page, as HTML and as JSON
"""

from pipeline.web.app import create_app

__all__ = ["create_app"]
