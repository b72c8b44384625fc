"""What `leadlight explain --since` prints for people: from the old score to the new one, line by line."""

from datetime import datetime

from rich.console import Console
from rich.markup import escape

from models.wording import plain
from pipeline.languages import Language, language
from pipeline.stages.explain import Line
from pipeline.stages.explain_change import ChangeTold


def show_change(console: Console, changes: list[ChangeTold]) -> None:
    """Print what moved each score of one lead, most often one."""
    for place, told in enumerate(changes):
        said = language(told.language)
        if place:
            console.print()
        console.print(_title(told, said))
        _show_sum(console, told, said)
        if told.why_not:
            console.print(told.why_not, markup=False)
        if told.moved:
            console.print("\n[bold]" + said.gettext("What moved most, as the two scores count it") + "[/bold]")
            _show_lines(console, told.moved)


def _title(told: ChangeTold, said: Language) -> str:
    title = said.gettext("[bold]Lead {lead}[/bold]  from {old} to {new}")
    title = title.replace("{old}", _day(told.since, said)).replace("{new}", _day(told.as_of, said))
    if told.trigger_id:
        trigger = said.gettext("trigger {trigger}").replace("{trigger}", escape(plain(told.trigger_id)))
        title = f"{title}, {trigger}"
    return title.replace("{lead}", escape(plain(told.lead_id)))


def _show_sum(console: Console, told: ChangeTold, said: Language) -> None:
    score = said.gettext("score of {day}")
    if told.old_score is not None:
        console.print(f"  {told.old_score:3d}  {score.replace('{day}', _day(told.since, said))}")
    _show_lines(console, told.steps)
    if told.limits:
        console.print(f"  {told.limits:+3d}  " + said.gettext("limits of the scale"))
    if told.new_score is not None:
        console.print(f"  [bold]{told.new_score:3d}[/bold]  {score.replace('{day}', _day(told.as_of, said))}")


def _show_lines(console: Console, lines: list[Line]) -> None:
    for line in lines:
        points = f"{line.points:+3d}" if line.points else "  0"
        console.print(f"  {points}  {line.text}", markup=False)


def _day(moment: str, said: Language) -> str:
    return said.date(datetime.fromisoformat(moment))
