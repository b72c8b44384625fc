"""The certificate: JSON for programs, and a page that a person reads."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from features.attribute_changes import Changes
from features.certified import FAILED, MOST_AS_OFS, NOT_APPLICABLE, PASSED, Asked, Finding, spread
from features.moments import DAY
from models.certificate import Certificate
from models.certificate_page import html, markdown, one_line
from models.leakage_attributes import attributes_unmoved

ASKED = Asked("nothing is wrong", "Is anything wrong?", "fails from 1 on", "mend it")
DAYS = np.arange(40) * 30 * DAY


def certificate(*checks):
    """Return a certificate of *checks*."""
    return Certificate("Who buys?", "America/New_York", 40 * 30 * DAY, 1000, 300, 20, 100, checks, ("plan",))


FAILING = ASKED.judged([Finding("<plan>", "filled & so on", 9.0)], as_ofs=DAYS, rows=40, why="40 rows")
TRUSTED = ASKED.judged([Finding("plan", "filled", 9.0, is_trusted=True)], as_ofs=DAYS, rows=40)
FINE = ASKED.judged([], as_ofs=DAYS[:1], rows=40, notes=["all is well"])
NONE = ASKED.not_applicable("no rows")


def test_a_finding_fails_a_check_unless_it_is_trusted():
    """One finding that nobody trusts is enough."""
    assert [check.outcome for check in (FAILING, TRUSTED, FINE, NONE)] == [FAILED, PASSED, PASSED, NOT_APPLICABLE]
    assert not certificate(FINE, FAILING).is_passed
    assert certificate(FINE, NONE, TRUSTED).is_passed


def test_as_ofs_are_named_from_the_first_to_the_last():
    """Many moments are told by some of them, ends included, and their number."""
    named, count = spread(np.repeat(DAYS, 3))
    assert (named[0], named[-1], count) == (DAYS[0], DAYS[-1], 40)
    assert len(named) == MOST_AS_OFS
    assert spread(DAYS[:3]) == (tuple(DAYS[:3].tolist()), 3)
    assert spread(DAYS[:0]) == ((), 0)


def test_the_json_says_for_each_check_what_was_asked_where_and_with_what_result():
    """Every check has its threshold, its as-of dates and its outcome; it is JSON that any reader accepts."""
    told = json.loads(json.dumps(certificate(FINE, FAILING).as_plain(), allow_nan=False))
    assert told["passed"] is False
    assert {"name", "asks", "threshold", "outcome", "as_ofs", "rows", "findings"} <= told["checks"][0].keys()
    assert told["checks"][1]["as_ofs"][0].startswith("1969-12-31T19:00")
    assert told["checks"][1]["findings"] == [
        {"what": "<plan>", "said": "filled & so on", "value": 9.0, "is_trusted": False}
    ]


@pytest.mark.parametrize("page", [markdown, html])
def test_the_page_says_it_all(page):
    """Each check stands there with threshold, dates, result, findings, notes and what to do."""
    text = page(certificate(FINE, FAILING, TRUSTED, NONE))
    for said in ("1 check failed", "fails from 1 on", "40 as-ofs", "1969-12-31", "filled", "all is well", "mend it",
                 "trusted by the config", "not applicable: no rows", "Who buys?"):  # fmt: skip
        assert said in text


def test_the_html_stands_alone_and_shows_text_as_text():
    """Nothing is loaded from elsewhere, and what a shop calls its columns is no markup."""
    text = html(certificate(FAILING))
    assert "&lt;plan&gt;" in text
    assert "filled &amp; so on" in text
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(text)
    assert {tag for tag, _ in tags} <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "span", "ul", "li", "b",
    }  # fmt: skip
    assert not any({"src", "href"} & attributes.keys() for _, attributes in tags)


def test_one_line_counts_what_happened():
    """The line of the command names failures and trusted findings only where there are any."""
    assert one_line(certificate(FINE, FINE)) == "Leak certificate: 2 checks passed"
    assert one_line(certificate(FINE, FAILING, NONE, TRUSTED)) == (
        "Leak certificate: 2 checks passed, 1 FAILED, 1 not applicable, 1 finding trusted by the config"
    )


@pytest.mark.parametrize(
    ("changed", "static", "outcome", "is_told"),
    [(60, True, FAILED, False), (60, False, PASSED, True), (2, True, PASSED, False)],
)
def test_a_static_attribute_must_not_move_with_the_conversion(changed, static, outcome, is_told):
    """Sixty of a hundred leads change it when they convert: static is a lie; by versions it is told; two are chance."""
    change = Changes("stage", 80, converting=100, changed=changed, others=500, others_changed=20, others_days=150_000.0)
    names = frozenset({"stage"}) if static else frozenset()
    found = attributes_unmoved([change], static=names, days=30.0, as_ofs=DAYS)
    assert (found.outcome, bool(found.notes)) == (outcome, is_told)
    trusted = attributes_unmoved([change], static=names, days=30.0, as_ofs=DAYS, trusted=frozenset({"stage"}))
    assert trusted.outcome == PASSED


def test_attributes_that_all_change_often_are_not_moved_by_conversions():
    """Where everyone's address changes every month, that it changed after an order says nothing."""
    change = Changes("city", 900, converting=100, changed=60, others=500, others_changed=5000, others_days=150_000.0)
    assert attributes_unmoved([change], static=frozenset({"city"}), days=30.0, as_ofs=DAYS).outcome == PASSED
    assert attributes_unmoved([], static=frozenset(), days=30.0, as_ofs=DAYS).outcome == NOT_APPLICABLE
