"""The list of leads, as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from pipeline.published.editions import Edition
from pipeline.web.api.shapes import LeadOut, LeadsOut
from pipeline.web.filters import LONGEST_TEXT, MOST_VALUES, SIZES, Sort, Wish, checked
from pipeline.web.listing import listing, shown
from pipeline.web.visit import OWN_CALL, Asked, Scores, Visit

router = APIRouter(tags=["leads"])
Values = Annotated[list[Annotated[str, Field(max_length=LONGEST_TEXT)]], Field(max_length=MOST_VALUES)]


class Filters(BaseModel):
    """Which leads, in which order, which page. Several values of one filter widen it; several filters narrow."""

    model_config = ConfigDict(extra="forbid")

    grade: Values = Field(default_factory=list)
    temperature: Values = Field(default_factory=list)
    action: Values = Field(default_factory=list)
    stage: Values = Field(default_factory=list)
    segment: Values = Field(default_factory=list)
    source: Values = Field(default_factory=list, description="As `handle` of /choices names it.")
    owner: Values = Field(default_factory=list, description="As `handle` of /choices names it.")
    held: Annotated[str, Field(pattern="^(yes|no)?$")] = ""
    sort: Sort = "rank"
    after: str = Field("", max_length=LONGEST_TEXT)
    before: str = Field("", max_length=LONGEST_TEXT)
    size: int = Field(50, description=f"One of {', '.join(map(str, SIZES))}.", json_schema_extra={"enum": list(SIZES)})


class Search(Filters):
    """The same, with what is searched for: it comes in the body, since addresses are kept by logs."""

    text: str = Field("", max_length=LONGEST_TEXT, description="Part of an id, a name or a company.")


class MoversOut(BaseModel):
    """Who moved most since the run before."""

    newly_hot: list[LeadOut]
    risers: list[LeadOut]
    fallers: list[LeadOut]
    gone_cold: list[LeadOut]


@router.get("/leads")
def leads(visit: Asked, edition: Scores, filters: Annotated[Filters, Query()]) -> LeadsOut:
    """Return a page of the list."""
    return _page(visit, edition, filters)


@router.post("/leads/search", dependencies=[OWN_CALL])
def search(visit: Asked, edition: Scores, wanted: Search) -> LeadsOut:
    """Return a page of the list of those whose id, name or company contain a text."""
    return _page(visit, edition, wanted)


@router.get("/movers")
def movers(visit: Asked, edition: Scores, most: Annotated[int, Query(ge=1, le=100)] = 15) -> MoversOut:
    """Return who moved most since the run before."""
    found = edition.movers(most)
    return MoversOut(
        **{
            name: [LeadOut.of(one) for one in shown(visit, edition, getattr(found, name))]
            for name in MoversOut.model_fields
        }
    )


def _page(visit: Visit, edition: Edition, filters: Filters) -> LeadsOut:
    said = filters.model_dump().items()
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said}
    found = listing(visit, edition, checked(Wish(**values)))
    return LeadsOut(
        total=found.total,
        next=found.next or None,
        previous=found.previous or None,
        leads=[LeadOut.of(one) for one in found.leads],
    )
