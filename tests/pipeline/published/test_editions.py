"""Editions: what a reader holds does not change, and what is told of a whole run adds up."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import LeadlightError
from pipeline.published.asks import Ask
from pipeline.published.editions import Edition, Published
from pipeline.published.list_columns import LONGEST_TEXT, PERSONAL
from pipeline.published.tallies import GROUPS
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace


def test_an_edition_opened_before_a_publish_stays_the_same_after_it(shop, draw):
    """Whoever holds it reads the old run to the end; who opens anew reads the new one."""
    made = shop()
    published = Published(made.workspace)
    held = published.open()
    first = held.page(Ask(sort="-change", size=20))
    run = made.store.add(draw.scores(80, 9), as_of=41 * draw.day, model_version="2-b", scored_at=draw.now)
    assert published.open() is held  # stored is not published
    made.store.publish(run)
    fresh = published.open()
    assert fresh.id != held.id
    assert (fresh.run.rows, fresh.run.model_version) == (80, "2-b")
    assert held.page(Ask(sort="-change", size=20)) == first
    assert held.page(Ask(held=True)).total + held.page(Ask(held=False)).total == 60
    assert held.run.rows == 60
    assert fresh.run.compared_with == {"as_of": 40 * draw.day, "model_version": "1-a"}


def test_while_somebody_opens_the_next_edition_others_read_on_in_the_one_before(shop, draw, monkeypatch):
    """Nobody waits for a publication to be read: the old run is whole, and the new one is there once it is open."""
    made = shop()
    published = Published(made.workspace)
    held = published.open()
    made.store.publish(made.store.add(draw.scores(80, 9), as_of=41 * draw.day, model_version="2-b", scored_at=draw.now))
    seen_meanwhile, warm = [], Edition.warm

    def slow(edition):
        with ThreadPoolExecutor(1) as other:
            seen_meanwhile.append(other.submit(published.open).result(timeout=60))
        warm(edition)

    monkeypatch.setattr(Edition, "warm", slow)
    assert published.at_hand() is None
    fresh = published.open()
    assert seen_meanwhile == [held]
    assert fresh.run.rows == 80
    assert published.open() is published.at_hand() is fresh


def test_every_thread_reads_the_same(shop):
    """Eight threads that share one object get what one thread gets."""
    edition = Published(shop().workspace).open()
    asks = [Ask(grades=("A",), sort=sort, size=9) for sort in ("rank", "name", "-change", "fit")] * 12
    expected = [edition.page(ask) for ask in asks]
    fresh = Published(Workspace(edition._store._workspace.root)).open()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fresh.page, asks)) == expected


def test_scores_before_and_now_are_of_the_same_lead_and_trigger(shop):
    """A lead with two open triggers is compared trigger by trigger; a new one has nothing before."""
    made = shop()
    before = {(row["lead_id"], row["trigger_id"]): row for row in made.before.to_pylist()}
    for row in Published(made.workspace).open().page(Ask(size=500)).rows:
        old = before.get((row.lead_id, row.trigger_id), {})
        assert row.previous_score == old.get("score")
        assert row.previous_grade == old.get("grade")
        assert row.change == (None if None in (row.score, row.previous_score) else row.score - row.previous_score)


def test_movers_are_those_whom_the_list_says_so(shop):
    """Each kind holds exactly its leads, in its order."""
    edition = Published(shop().workspace).open()
    rows = edition.page(Ask(size=500)).rows
    movers = edition.movers(500)
    moved = [row for row in rows if row.change]
    assert movers.risers == sorted((row for row in moved if row.change > 0), key=lambda row: -row.change)
    assert movers.fallers == sorted((row for row in moved if row.change < 0), key=lambda row: row.change)
    was = [row for row in rows if row.previous_temperature]
    assert movers.newly_hot == [row for row in was if row.temperature == "hot" and row.previous_temperature != "hot"]
    gone_cold = {row.position for row in was if row.temperature == "cold" and row.previous_temperature != "cold"}
    assert {row.position for row in movers.gone_cold} == gone_cold
    assert edition.movers(2).risers == movers.risers[:2]


def test_choices_count_what_their_filter_leaves(shop):
    """Each value offered leaves as many leads as it says, for every filter."""
    edition = Published(shop().workspace).open()
    offered = {name: values for name, values in edition.choices().items() if values}
    assert {"grades", "segments", "owners", "held_codes", "reason_codes", "sources"} <= offered.keys()
    for name, values in offered.items():
        for choice in values:
            assert edition.page(Ask(**{name: (choice.value,)})).total == choice.leads > 0


def test_groups_add_up_to_the_run(shop):
    """Leads and expected conversions by any column but segments, which overlap, are those of all rows."""
    edition = Published(shop().workspace).open()
    for column in GROUPS:
        groups = edition.by(column)
        if column != "segment":
            assert sum(group.leads for group in groups) == edition.run.rows
            expected = sum(group.expected_conversions or 0 for group in groups)
            assert expected == pytest.approx(edition.run.expected_conversions)
    by_segment = {group.value: group.leads for group in edition.by("segment")}
    assert by_segment == {choice.value: choice.leads for choice in edition.choices()["segments"]}
    with pytest.raises(LeadlightError, match="did you mean 'grade'"):
        edition.by("grades")


def test_personal_columns_are_kept_only_where_the_config_names_them(shop):
    """By default nothing about people is in the list; the source of their visit is no person."""
    shown = Published(shop(personal=()).workspace).open().page(Ask(size=500)).rows
    assert all(getattr(row, name) is None for row in shown for name in PERSONAL)
    assert {row.source for row in shown} == {"ads", "mail", None}


def test_long_texts_are_cut_and_ids_are_whole(tmp_path, draw):
    """Ten thousand letters of a name become two hundred; marks are kept by ids, so these stay."""
    store, rows = ScoreStore(Workspace(tmp_path)), draw.scores(4)
    long_id = "x" * 10_000
    rows = rows.set_column(0, "lead_id", pa.array([long_id, "b", "c", "d"]))
    people = pa.table({"lead_id": [long_id, "b"], "display_name": ["🦊" * 10_000, "b" * LONGEST_TEXT]})
    run = store.add(
        rows, as_of=0, model_version="1-a", scored_at=draw.now, people=people, personal=("display_name",)
    )  # fmt: skip
    store.publish(run)
    names = {row.lead_id: row.display_name for row in Published(Workspace(tmp_path)).open().page(Ask()).rows}
    assert names[long_id] == "🦊" * (LONGEST_TEXT - 1) + "…"
    assert names["b"] == "b" * LONGEST_TEXT


def test_a_run_of_an_older_version_is_read_as_well(tmp_path, draw):
    """Only its scores lie there, in their own order and without later columns: the list is made, they stay."""
    store, rows = ScoreStore(Workspace(tmp_path)), draw.scores(50)
    old = rows.drop_columns(["stage", "segments", "held"])
    run = store.add(old, as_of=0, model_version="1-a", scored_at=draw.now)
    for file in store.folder_of(run).iterdir():
        file.unlink()
    part = store.folder_of(run) / "part.parquet"
    pq.write_table(old, part)
    written = part.read_bytes()
    (tmp_path / "scores" / "manifest.json").write_text(
        f'{{"as_of": 0, "model_version": "1-a", "part": "{run.part}"}}', encoding="utf-8"
    )
    edition = Published(Workspace(tmp_path)).open()
    ranks = [row.rank for row in edition.page(Ask(size=500)).rows]
    assert ranks == [*range(1, 46), *[None] * 5]
    stored = {row["lead_id"]: row for row in old.to_pylist() if row["trigger_id"] is None}
    for row in edition.page(Ask(size=20)).rows:
        assert edition.lead(row.lead_key)[0]["score"] == stored[row.lead_id]["score"]
    assert part.read_bytes() == written


def test_a_run_that_was_removed_and_scored_anew_is_another_edition(shop, draw):
    """Nothing that was kept of the old files is told of the new ones."""
    made = shop()
    published = Published(made.workspace)
    held = published.open()
    held.page(Ask(grades=("A",)))
    (made.store.folder_of(made.run) / "part.parquet").unlink()
    again = made.store.add(draw.scores(30, 5), as_of=40 * draw.day, model_version="1-a", scored_at=draw.now)
    made.store.publish(again)
    fresh = published.open()
    assert fresh.id != held.id
    assert fresh.page(Ask(size=500)).total == 30


def test_rows_beyond_one_block_lie_where_the_list_says(tmp_path, draw, monkeypatch):
    """Blocks, row groups and exports of any size change nothing."""
    monkeypatch.setattr("pipeline.published.run_files._BLOCK", 512)
    monkeypatch.setattr("pipeline.published.run_files.PART_ROW_GROUP", 128)
    monkeypatch.setattr("pipeline.published.editions._EXPORTED_AT_ONCE", 100)
    store = ScoreStore(Workspace(tmp_path))
    store.publish(store.add(draw.scores(1_300), as_of=0, model_version="1-a", scored_at=draw.now))
    edition = Published(Workspace(tmp_path)).open()
    exported = pa.Table.from_batches(edition.export(Ask(sort="-fit")))
    assert sorted(exported["position"].to_pylist()) == list(range(1_300))
    assert (np.diff(exported["fit"].to_numpy()) <= 0).all()
    for row in exported.to_pylist()[::97]:
        listed = edition.listed(row["lead_key"])
        assert row["position"] in [one.position for one in listed]
        assert [one["rank"] for one in edition.lead(row["lead_key"])] == [one.rank for one in listed]


def test_a_lead_has_a_point_of_history_for_every_run_that_was_published(shop):
    """Oldest first, with the score that was stored."""
    made = shop()
    edition = Published(made.workspace).open()
    row = edition.page(Ask(size=1)).rows[0]
    points = edition.history(row.lead_key)
    stored = [*made.before.to_pylist(), *made.scores.to_pylist()]
    expected = {(one["as_of"], one["trigger_id"]): one["score"] for one in stored if one["lead_id"] == row.lead_id}
    assert {(point.as_of, point.trigger_id): point.score for point in points} == expected
    assert len(points) == len(expected) > 1
    assert [point.as_of for point in points] == sorted(point.as_of for point in points)
    assert edition.history(12345) == []
