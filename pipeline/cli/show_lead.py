"""What `leadlight explain` prints for people: one lead, told in full."""

from rich.console import Console
from rich.markup import escape

from models.wording import plain
from pipeline.cli.bars import bar
from pipeline.lead_timeline import Happening
from pipeline.row_words import day
from pipeline.stages.explain import LeadExplanation, Line, WithoutScore


def show_lead(console: Console, scores: list[LeadExplanation | WithoutScore]) -> None:
    """Print every published score of one lead, most often one."""
    for place, told in enumerate(scores):
        if place:
            console.print()
        trigger = f", trigger {escape(plain(told.trigger_id))}" if told.trigger_id else ""
        console.print(f"[bold]Lead {escape(plain(told.lead_id))}[/bold]  as of {day(told.as_of)}{trigger}")
        if isinstance(told, LeadExplanation):
            _show(console, told)
        _show_doubts(console, told.doubts)
        _show_timeline(console, told.timeline)


def _show(console: Console, told: LeadExplanation) -> None:
    between = "" if told.score_low is None else f" (between {told.score_low} and {told.score_high})"
    console.print(
        f"Score [bold]{told.score}[/bold]{between}  "
        f"{bar(told.score / 100, width=25)}  grade {told.grade}, {told.temperature}, rank {told.rank:,}"
    )
    console.print(_probability(told))
    is_card = told.score_low is None
    console.print(
        f"  {told.start:3d}  {'what every lead begins with' if is_card else 'a lead with nothing for or against it'}"
    )
    _show_lines(console, "Speaks for", told.speaks_for)
    _show_lines(console, "Speaks against", told.speaks_against)
    if told.everything_else:
        console.print(f"  {told.everything_else:+3d}  everything else")
    if told.limits:
        console.print(f"  {told.limits:+3d}  limits of the scale")
    console.print(f"  [bold]{told.score:>3}[/bold]  score\n")


def _probability(told: LeadExplanation) -> str:
    if told.probability is None:
        return "By the shop's own points card, which says no probability\n"
    if told.probability_low is None or told.probability_high is None:
        return f"Probability {told.probability:.1%} by the shop's own points card\n"
    return f"Probability {told.probability:.1%} (between {told.probability_low:.1%} and {told.probability_high:.1%})\n"


def _show_lines(console: Console, title: str, lines: list[Line]) -> None:
    if not lines:
        return
    console.print(f"[bold]{title}[/bold]")
    for line in lines:
        console.print(f"  {line.points:+3d}  {line.text}", markup=False)


def _show_doubts(console: Console, doubts: list[str]) -> None:
    if not doubts:
        return
    console.print("[bold]To be doubted[/bold]")
    for sentence in doubts:
        console.print(f"  {sentence}", markup=False)
    console.print()


def _show_timeline(console: Console, timeline: list[Happening] | None) -> None:
    if timeline is None:
        return
    console.print("[bold]Timeline[/bold], newest first, as it was known then")
    for happening in timeline:
        console.print(f"  {happening.at[:16].replace('T', ' ')}  {happening.text}", markup=False)
    if not timeline:
        console.print("  nothing was known yet")
