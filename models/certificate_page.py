"""The certificate as one page that a person reads: in Markdown, and in HTML that needs no other file."""

from __future__ import annotations

from html import escape

from features.certified import FAILED, NOT_APPLICABLE, PASSED, Check
from features.moments import local_date
from models.certificate import Certificate, days_checked

MARKS = {PASSED: "passed", FAILED: "FAILED", NOT_APPLICABLE: "n/a"}
MOST_FINDINGS = 10
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .2rem; }
.mark { display: inline-block; min-width: 4.2rem; padding: 0 .5rem; margin-right: .6rem; border-radius: .3rem;
  text-align: center; font-size: .85rem; color: #fff; background: #2e7d4f; }
.mark.failed { background: #b3261e; } .mark.na { background: #75808c; }
p { margin: .25rem 0; } .small { color: #55606c; font-size: .9rem; } ul { margin: .3rem 0; }
.found { color: #b3261e; } .trusted { color: #8a5a00; }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #dfe5ea; } .small { color: #9aa5b0; }
  .found { color: #ff8a80; } .trusted { color: #e0b060; } }
"""


def markdown(certificate: Certificate) -> str:
    """Return the page as Markdown."""
    lines = [f"# {_title(certificate)}", "", _summary(certificate), ""]
    for check in certificate.checks:
        lines += [f"## {MARKS[check.outcome]}: {check.name}", "", check.asks, ""]
        lines += [f"- Threshold: {check.threshold}.", f"- Looked at: {_looked_at(check, certificate.zone)}."]
        lines += [f"- **{what}**: {said}" for what, said, _ in _found(check)]
        lines += [f"- Note: {note}" for note in check.notes]
        if check.is_failed:
            lines.append(f"- What to do: {check.hint}")
        lines.append("")
    return "\n".join(lines)


def html(certificate: Certificate) -> str:
    """Return the page as HTML without scripts, fonts or pictures from elsewhere."""
    body = "".join(_section(check, certificate.zone) for check in certificate.checks)
    title = escape(_title(certificate))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{title}</h1><p>{escape(_summary(certificate))}</p>\n{body}</body></html>\n"
    )


def one_line(certificate: Certificate) -> str:
    """Return the result in one line: "Leak certificate: 8 checks passed, 2 not applicable"."""
    counts = {mark: sum(check.outcome == mark for check in certificate.checks) for mark in MARKS}
    said = [f"{_counted(counts[PASSED], 'check')} passed"]
    said += [f"{counts[FAILED]} FAILED"] if counts[FAILED] else []
    said += [f"{counts[NOT_APPLICABLE]} not applicable"] if counts[NOT_APPLICABLE] else []
    trusted = sum(finding.is_trusted for check in certificate.checks for finding in check.findings)
    said += [f"{_counted(trusted, 'finding')} trusted by the config"] if trusted else []
    return f"Leak certificate: {', '.join(said)}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _title(certificate: Certificate) -> str:
    result = "no leak found" if certificate.is_passed else f"{_counted(len(certificate.failed), 'check')} failed"
    return f"Leak certificate: {result}"


def _summary(certificate: Certificate) -> str:
    question = certificate.question
    asked = question + (" " if question.endswith(("?", ".", "!")) else ". ") if question else ""
    until = local_date(certificate.data_until, certificate.zone).isoformat()
    return (
        f"{asked}{certificate.snapshots:,} snapshots of {certificate.leads:,} leads, {certificate.conversions:,} of "
        f"whom convert; conversions known until {until}. {certificate.sampled_leads:,} leads were computed anew."
    )


def _looked_at(check: Check, zone: str) -> str:
    if check.outcome == NOT_APPLICABLE:
        return f"not applicable: {check.why}"
    days = days_checked(check, zone)
    return "; ".join(part for part in (f"{check.rows:,} rows" if check.rows else "", days, check.why) if part)


def _found(check: Check) -> list[tuple[str, str, bool]]:
    """Return what was found, in words, and whether it is trusted."""
    shown = [
        (finding.what, finding.said + (" (trusted by the config)" if finding.is_trusted else ""), finding.is_trusted)
        for finding in check.findings[:MOST_FINDINGS]
    ]
    rest = len(check.findings) - MOST_FINDINGS
    return shown if rest <= 0 else [*shown, (f"{rest} more", "see certificate.json", False)]


def _section(check: Check, zone: str) -> str:
    kind = {PASSED: "", FAILED: " failed", NOT_APPLICABLE: " na"}[check.outcome]
    found = "".join(
        f'<li class="{"trusted" if is_trusted else "found"}"><b>{escape(what)}</b>: {escape(said)}</li>'
        for what, said, is_trusted in _found(check)
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in check.notes)
    hint = f"<p><b>What to do:</b> {escape(check.hint)}</p>" if check.is_failed else ""
    return (
        f'<h2><span class="mark{kind}">{MARKS[check.outcome]}</span>{escape(check.name)}</h2>'
        f"<p>{escape(check.asks)}</p>"
        f'<p class="small">Threshold: {escape(check.threshold)}. Looked at: {escape(_looked_at(check, zone))}.</p>'
        + (f"<ul>{found}{notes}</ul>" if found or notes else "")
        + hint
        + "\n"
    )
