"""What `leadlight score` prints for people: the counts, the best leads with reasons, where all of them lie."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.capacity import Capacity, Conversions
from models.reason_codes import NO_HISTORY, STALE_DATA, UNLIKE_TRAINING
from models.wording import counted, plain
from pipeline.labels import Labels
from pipeline.languages import ENGLISH
from pipeline.row_words import day
from pipeline.stages.score_report import ScoreReport
from pipeline.stored_run import Unpublished

_REASONS = 3
_STORED_BEFORE = (
    " They were stored before; a stored score never changes. What was learned since, such as a hold or a withdrawn "
    "consent, counts in the scores of a later moment (--as-of)."
)


def show_scores(console: Console, report: ScoreReport) -> None:
    """Print how many leads were scored, the best of them, and the files."""
    again = "" if report.is_new else _STORED_BEFORE
    console.print(
        f"{counted(report.leads, 'lead')} scored as of {day(report.as_of)} by version {report.model_version}.{again}",
        markup=False,
    )
    if report.unpublished:
        console.print(f"They are stored and not published: {_why(report)}", markup=False)
    for line in _doubts(report):
        console.print(line, markup=False)
    grades = ", ".join(f"{grade} {count:,}" for grade, count in report.grades.items())
    expected = report.expected_conversions
    told = "" if expected is None else f"Expected conversions: {expected:,.1f}. "
    console.print(f"{told}Grades: {grades}.", markup=False)
    for line in _to_do(report):
        console.print(line, markup=False)
    console.print()
    console.print(_best(report.best))
    console.print(f"All leads: {report.csv}", markup=False, soft_wrap=True)
    console.print(f"           {report.parquet}", markup=False, soft_wrap=True)


def _why(report: ScoreReport) -> str:
    if report.unpublished is Unpublished.OLDER_MOMENT:
        return "readers see those of a later moment. `leadlight score` without --as-of publishes what it scores."
    return f"version {report.model_version} is not the champion. `leadlight score` scores with the one that is."


_MEANS = {
    NO_HISTORY: "nothing is known of them",
    STALE_DATA: "no news for too long",
    UNLIKE_TRAINING: "unlike the leads this model learned from",
}


def _doubts(report: ScoreReport) -> list[str]:
    """Return what to doubt about the scores, one line each."""
    lines = []
    if report.unscored:
        lines.append(f"{report.unscored:,} more got no score, but a reason code.")
    if report.codes:
        counts = [f"{code} {count:,} ({_MEANS.get(code, code)})" for code, count in report.codes.items()]
        lines.append(f"Reason codes: {', '.join(counts)}.")
    if report.stale_tables:
        lines.append(f"Stale: {', '.join(report.stale_tables)} ended long before the moment of scoring.")
    return lines


def _to_do(report: ScoreReport) -> list[str]:
    """Return how many leads are where in the funnel, what is to be done, who is held, and what a week brings."""
    lines = []
    if report.stages:
        lines.append(f"Funnel: {_counts(report.stages)}.")
    if report.actions:
        frequent = sorted(report.actions.items(), key=lambda one: -one[1])
        lines.append(f"Next: {_counts(dict(frequent))}.")
    if report.held_leads:
        why = _counts({Labels(ENGLISH).inside("held", code): count for code, count in report.held.items()})
        lines.append(f"Held, to be left alone: {report.held_leads:,} ({why}). They keep their scores.")
    if report.capacity is not None:
        lines += _capacity(report.capacity)
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())


def _capacity(found: Capacity) -> list[str]:
    best, more = found.best, found.more
    if best.leads < found.per_week:
        lines = [f"You can call {found.per_week:,} a week; only {counted(best.leads, 'lead')} may be called."]
    else:
        lines = [f"You can call {found.per_week:,} a week: the best of {found.free:,} that may be called."]
    lines.append(f"They bring {_brought(best)}." if best.leads else "")
    if more.leads:
        lines.append(f"The next {more.leads:,} would bring {_brought(more)}.")
    return [line for line in lines if line]


def _brought(found: Conversions) -> str:
    """Return what leads bring; a points card without odds cannot tell."""
    if found.expected is None:
        return "what a points card cannot say"
    return f"{found.expected:,.1f} conversions; 9 times in 10 between {found.low:,} and {found.high:,}"


def _best(leads: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=f"The {len(leads)} best leads, each at its best rank", title_justify="left", show_lines=True)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("lead", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("grade", no_wrap=True)
    table.add_column("what to do", ratio=1)
    table.add_column("points and why", ratio=2)
    for lead in leads:
        table.add_row(*_cells(lead))
    return table


def _probability(lead: Mapping[str, Any]) -> str:
    """Return the probability with its interval; a points card knows neither, or the first alone."""
    if lead["probability"] is None:
        return "–"
    if lead["probability_low"] is None:
        return f"{lead['probability']:.1%}"
    return f"{lead['probability']:.1%}\n{lead['probability_low']:.0%}–{lead['probability_high']:.0%}"


def _next(lead: Mapping[str, Any]) -> str:
    return "\n".join(line for line in (lead["next_action"], lead["stage_label"]) if line) or "–"


def _cells(lead: Mapping[str, Any]) -> tuple[Text, ...]:
    """Return one row; as `Text`, since a lead's name in brackets is no markup."""
    reasons = [f"{reason['points']:+5.1f}  {reason['text']}" for reason in lead["reasons"][:_REASONS]]
    cells = (
        str(lead["rank"]),
        plain(str(lead["lead_id"])),
        str(lead["score"]),
        _probability(lead),
        f"{lead['grade']}\n{lead['temperature']}",
        _next(lead),
        "\n".join(reasons),
    )
    return tuple(Text(cell) for cell in cells)
