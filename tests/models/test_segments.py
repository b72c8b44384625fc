"""Quality by segment: what is told of whom, and what is called badly calibrated."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from models.segment_words import segment_notes
from models.segments import LEAST_LEADS, Attribute, calibration_gap, segment_report


def texts(values):
    """Return *values* as a column of the training table."""
    return pa.chunked_array([pa.array(list(values), pa.string()).dictionary_encode()])


def judged(log_odds, converted, lead, *, rows=None):
    """Return what `train` would, as far as a report reads it."""
    hold_out = SimpleNamespace(
        log_odds=log_odds, converted=converted, lead=lead, test_rows=np.arange(len(lead)) if rows is None else rows
    )
    shipped = SimpleNamespace(feature_names=("country",))
    return SimpleNamespace(
        hold_out=hold_out,
        model=shipped,
        judged=SimpleNamespace(newest_probabilities=tuple(np.linspace(0, 1, 1001))),
    )


def drawn(seed, *, leads=1500, rows_each=2, off=0.0):
    """Return calibrated margins and labels, but for *off* log-odds in the first of five segments."""
    rng = np.random.default_rng(seed)
    lead = np.repeat(np.arange(leads, dtype=np.uint64) + 1, rows_each)
    segment = np.repeat(rng.integers(0, 5, leads), rows_each)
    margin = rng.normal(-1.0, 1.0, len(lead))
    converted = rng.random(len(lead)) < 1 / (1 + np.exp(-margin))
    return margin + off * (segment == 0), converted, lead, segment


def report_of(margin, converted, lead, segment, **more):
    """Return the report by the one attribute *segment*."""
    values = texts(f"s{one}" for one in segment)
    return segment_report([Attribute("part", values, **more)], judged(margin, converted, lead))


def test_segments_share_out_all_rows_and_their_means_add_up():
    """Rows, expected and realised conversions over segments are those of the whole."""
    margin, converted, lead, segment = drawn(1)
    (attribute,) = report_of(margin, converted, lead, segment).attributes
    rows = np.array([one.rows for one in attribute.segments])
    assert rows.sum() == len(lead)
    assert rows @ [one.realised for one in attribute.segments] == pytest.approx(converted.sum())
    assert rows @ [one.expected for one in attribute.segments] == pytest.approx((1 / (1 + np.exp(-margin))).sum())


def test_only_the_rows_of_the_hold_out_are_told_of():
    """Values of the whole table are looked up at the hold-out's rows, wherever these stand."""
    margin, converted, lead, segment = drawn(2)
    places = np.random.default_rng(0).permutation(2 * len(lead))[: len(lead)]
    table = np.full(2 * len(lead), "elsewhere", dtype=object)
    table[places] = [f"s{one}" for one in segment]
    trained = judged(margin, converted, lead, rows=places)
    found = segment_report([Attribute("part", texts(table))], trained)
    assert found == report_of(margin, converted, lead, segment)


def test_the_order_of_rows_changes_nothing():
    """The same snapshots in another order are the same report, to the last bit of counts and nearly of means."""
    margin, converted, lead, segment = drawn(3)
    order = np.random.default_rng(1).permutation(len(lead))
    one = report_of(margin, converted, lead, segment).attributes[0]
    other = report_of(margin[order], converted[order], lead[order], segment[order]).attributes[0]
    for a, b in zip(one.segments, other.segments, strict=True):
        assert (a.level, a.rows, a.leads, a.conversions, a.is_off) == (
            b.level,
            b.rows,
            b.leads,
            b.conversions,
            b.is_off,
        )
        assert a.metrics.roc_auc.value == pytest.approx(b.metrics.roc_auc.value, abs=1e-12)
        assert a.gap.low == pytest.approx(b.gap.low, abs=1e-12)


def test_a_calibrated_model_is_seldom_called_badly_calibrated():
    """One report in twenty may call some segment off by chance; many more would cry wolf."""
    alarms = 0
    for seed in range(100):
        margin, converted, lead, segment = drawn(seed, leads=300)
        gaps = [
            calibration_gap(margin[segment == one], converted[segment == one], lead[segment == one]) for one in range(5)
        ]
        alarms += any(abs(gap.value) > 1.314 * (gap.high - gap.value) for gap in gaps)  # z of 1 - .05 / 5 / 2
    assert alarms <= 12


def test_a_segment_with_wrong_probabilities_is_called_so_by_name():
    """Half a unit of log-odds too much is found, and nothing else is blamed."""
    found = report_of(*drawn(5, off=0.8))
    assert [one.level for one in found.attributes[0].segments if one.is_off] == ["s0"]
    (note,) = segment_notes(found)
    assert note.startswith("Probabilities are off where part is s0: ")
    assert segment_notes(report_of(*drawn(5))) == ()


def test_the_interval_of_the_difference_respects_people():
    """Rows said twice are no new evidence: the interval stays as wide."""
    margin, converted, lead, _ = drawn(6, rows_each=1)
    once = calibration_gap(margin, converted, lead)
    twice = calibration_gap(np.tile(margin, 2), np.tile(converted, 2), np.tile(lead, 2))
    assert twice.high - twice.low == pytest.approx(once.high - once.low)
    assert once.low < once.value < once.high


def test_a_segment_of_few_leads_has_volume_and_no_figure():
    """Nine converting leads are told as nine, and no quality is read out of them."""
    margin, converted, lead, segment = drawn(7, rows_each=1)
    won = np.flatnonzero(converted & (segment == 1))
    keep = np.ones(len(lead), dtype=bool)
    keep[won[LEAST_LEADS - 1 :]] = False
    found = report_of(margin[keep], converted[keep], lead[keep], segment[keep]).attributes[0]
    (small,) = [one for one in found.segments if one.metrics is None]
    assert (small.level, small.conversions, small.gap, small.is_off) == ("s1", LEAST_LEADS - 1, None, False)


def test_error_gaps_are_reported_for_sensitive_attributes_alone():
    """Who marks nothing gets no gaps; the report says whether the model reads the attribute."""
    values = drawn(8)
    assert report_of(*values).attributes[0].error_gaps is None
    told = report_of(*values, is_sensitive=True).attributes[0]
    assert told.error_gaps is not None
    assert not told.is_in_model
