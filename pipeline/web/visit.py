"""What every page is handed: who asks, in which language, of which scores; and how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from pipeline.labels import Labels
from pipeline.languages import Language
from pipeline.published.editions import Edition, Published
from pipeline.web import faults
from pipeline.web.freshness import Freshness, freshness_of
from pipeline.web.gate import Visitor
from pipeline.web.harmless import plain
from pipeline.web.house import House
from pipeline.web.speech import page, spoken


@dataclass(frozen=True)
class Visit:
    """One request.

    Attributes:
        request: As it came.
        house: What the app keeps for all requests.
        visitor: Who asks.
        said: In which language the answer is.
        now: The moment of the request (aware).
    """

    request: Request
    house: House
    visitor: Visitor
    said: Language
    now: datetime

    @property
    def token(self) -> str:
        """What forms of this visitor carry."""
        return self.house.sessions.token(self.visitor.session)

    @property
    def is_part(self) -> bool:
        """Whether a part of the page is asked for, to be put into one that is open."""
        return self.request.headers.get("hx-request") == "true"

    def answer(
        self, template: str, values: Mapping[str, Any], *, edition: Edition | None = None, status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> HTMLResponse:  # fmt: skip
        """Return a page.

        Args:
            template: Its name.
            values: What it shows beside what every page shows.
            edition: The scores that it shows, whose freshness is told; None = it shows none.
            status: The HTTP status.
            headers: More headers of the answer.
        """
        zone = ZoneInfo(self.house.settings.shop.time_zone)
        fresh = freshness(self, edition) if edition else None
        shared = {
            "visit": self,
            "shop": self.house.settings.shop.name,
            "path": self.request.url.path,
            "here": _here(self.request) if status == 200 else "/",
            "fresh": fresh,
            "languages": self.house.settings.app.languages,
            "last_day": lambda until: (until - timedelta(microseconds=1)).astimezone(zone),
            "when": lambda iso: self.said.moment(datetime.fromisoformat(iso)),
            "can_log_out": self.house.access.kind == "password" and bool(self.visitor.user),
        }
        if edition:
            label = shared["label"] = labels(self, edition)
            shared["names_of"] = lambda kind: partial(_named, label, kind)
        told = page(template, self.said, {**shared, **values})
        return HTMLResponse(
            told, status_code=status, headers={"Vary": "Cookie, Accept-Language, HX-Request", **(headers or {})}
        )


def _here(request: Request) -> str:
    """Return the address of the page that is asked for, to come back to it in another language."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _named(label: Labels, kind: str, value: str) -> str:
    """Return what a filter calls a value: sources and owners are the shop's own words."""
    return plain(value) if kind in ("source", "owner") else label(kind, value)


def labels(visit: Visit, edition: Edition) -> Labels:
    """Return what codes of these scores are called."""
    return visit.house.labels.get((edition.id, visit.said.locale), lambda: Labels(visit.said, edition.run.labels))


def freshness(visit: Visit, edition: Edition) -> Freshness:
    """Return how old these scores are."""
    return freshness_of(edition.run, now=visit.now, settings=visit.house.settings)


def visit_of(request: Request) -> Visit:
    """Return what a page is handed of *request*."""
    house: House = request.app.state.house
    return Visit(
        request, house, request.state.visitor, spoken(request, house.settings.app), house.clock()
    )  # fmt: skip


async def _visit(request: Request) -> Visit:
    # It waits for nothing, and so needs no thread of its own.
    return visit_of(request)


async def _edition(request: Request) -> Edition:
    published: Published = request.app.state.house.published
    at_hand = published.at_hand()
    return at_hand if at_hand is not None else await run_in_threadpool(published.open)


Asked = Annotated[Visit, Depends(_visit)]
"""The request, for a page's function."""
Scores = Annotated[Edition, Depends(_edition)]
"""The published scores, the same for the whole request."""


async def _form_is_ours(visit: Asked, token: Annotated[str, Form(max_length=200)] = "") -> None:
    if not visit.house.sessions.is_token(visit.visitor.session, token):
        raise faults.forged()


async def _call_is_ours(visit: Asked, x_form_token: Annotated[str, Header(max_length=200)] = "") -> None:
    if not visit.house.sessions.is_token(visit.visitor.session, x_form_token):
        raise faults.forged()


OWN_FORM = Depends(_form_is_ours)
"""Refuses forms that another site sent: they cannot know the session's token."""
OWN_CALL = Depends(_call_is_ours)
"""The same for programs, which give the token in the header X-Form-Token."""
