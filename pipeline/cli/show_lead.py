"""What `leadlight explain` prints for people: one lead, told in full, in the language asked for."""

from datetime import datetime

from rich.console import Console
from rich.markup import escape

from models.wording import plain
from pipeline.cli.bars import bar
from pipeline.decision_words import ToDo
from pipeline.labels import Labels
from pipeline.languages import Language, language
from pipeline.lead_timeline import Happening
from pipeline.stages.explain import LeadExplanation, Line, WithoutScore


def show_lead(console: Console, scores: list[LeadExplanation | WithoutScore]) -> None:
    """Print every published score of one lead, most often one."""
    for place, told in enumerate(scores):
        said = language(told.language)
        if place:
            console.print()
        console.print(_title(told, said))
        if isinstance(told, LeadExplanation):
            _show(console, told, said)
        _show_to_do(console, told.to_do, said)
        _show_doubts(console, told.doubts, said)
        _show_timeline(console, told.timeline, said)


def _title(told: LeadExplanation | WithoutScore, said: Language) -> str:
    as_of = said.date(datetime.fromisoformat(told.as_of))
    title = said.gettext("[bold]Lead {lead}[/bold]  as of {day}").replace("{day}", as_of)
    if told.trigger_id:
        trigger = said.gettext("trigger {trigger}").replace("{trigger}", escape(plain(told.trigger_id)))
        title = f"{title}, {trigger}"
    return title.replace("{lead}", escape(plain(told.lead_id)))


def _show(console: Console, told: LeadExplanation, said: Language) -> None:
    console.print(f"{_score(told, said)}  {bar(told.score / 100, width=25)}  {_grade(told, said)}")
    console.print(_probability(told, said))
    is_card = told.score_low is None
    begin = (
        said.gettext("what every lead begins with")
        if is_card
        else said.gettext("a lead with nothing for or against it")
    )
    console.print(f"  {told.start:3d}  {begin}")
    _show_lines(console, said.gettext("Speaks for"), told.speaks_for)
    _show_lines(console, said.gettext("Speaks against"), told.speaks_against)
    if told.everything_else:
        console.print(f"  {told.everything_else:+3d}  " + said.gettext("everything else"))
    if told.limits:
        console.print(f"  {told.limits:+3d}  " + said.gettext("limits of the scale"))
    console.print(f"  [bold]{told.score:>3}[/bold]  " + said.gettext("score") + "\n")


def _score(told: LeadExplanation, said: Language) -> str:
    if told.score_low is None or told.score_high is None:
        return said.gettext("Score [bold]{score}[/bold]").replace("{score}", str(told.score))
    text = said.gettext("Score [bold]{score}[/bold] (between {low} and {high})")
    return (
        text.replace("{score}", str(told.score))
        .replace("{low}", str(told.score_low))
        .replace("{high}", str(told.score_high))
    )


def _grade(told: LeadExplanation, said: Language) -> str:
    temperature = Labels(said).inside("temperature", told.temperature)
    text = said.gettext("grade {grade}, {temperature}, rank {rank}")
    rank = said.number(told.rank)
    return text.replace("{grade}", told.grade).replace("{temperature}", temperature).replace("{rank}", rank)


def _probability(told: LeadExplanation, said: Language) -> str:
    if told.probability is None:
        return said.gettext("By the shop's own points card, which says no probability") + "\n"
    probability = said.percent(told.probability, 1)
    if told.probability_low is None or told.probability_high is None:
        text = said.gettext("Probability {probability} by the shop's own points card")
        return text.replace("{probability}", probability) + "\n"
    low, high = said.percent(told.probability_low, 1), said.percent(told.probability_high, 1)
    text = said.gettext("Probability {probability} (between {low} and {high})")
    return text.replace("{probability}", probability).replace("{low}", low).replace("{high}", high) + "\n"


def _show_lines(console: Console, title: str, lines: list[Line]) -> None:
    if not lines:
        return
    console.print(f"[bold]{title}[/bold]")
    for line in lines:
        console.print(f"  {line.points:+3d}  {line.text}", markup=False)


def _show_to_do(console: Console, to_do: ToDo | None, said: Language) -> None:
    if to_do is None:
        return
    how = f" ({to_do.channel})" if to_do.channel else ""
    console.print("[bold]" + said.gettext("What to do") + f"[/bold]  {escape(to_do.next_action)}{escape(how)}")
    lines = [to_do.wording] if to_do.wording else []
    if to_do.stage:
        lines.append(said.gettext("Stage: {stage}").replace("{stage}", to_do.stage))
    if to_do.segments:
        lines.append(said.gettext("Segments: {segments}").replace("{segments}", ", ".join(to_do.segments)))
    for line in lines:
        console.print(f"  {line}", markup=False)
    console.print()


def _show_doubts(console: Console, doubts: list[str], said: Language) -> None:
    if not doubts:
        return
    console.print("[bold]" + said.gettext("To be doubted") + "[/bold]")
    for sentence in doubts:
        console.print(f"  {sentence}", markup=False)
    console.print()


def _show_timeline(console: Console, timeline: list[Happening] | None, said: Language) -> None:
    if timeline is None:
        return
    console.print(said.gettext("[bold]Timeline[/bold], newest first, as it was known then"))
    for happening in timeline:
        console.print(f"  {happening.at[:16].replace('T', ' ')}  {happening.text}", markup=False)
    if not timeline:
        console.print("  " + said.gettext("nothing was known yet"))
