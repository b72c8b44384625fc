"""Promotion and rollback on a real workspace: what is published, to the byte."""

import io
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from mlflow import MlflowClient
from rich.console import Console

from features.errors import LeadlightError
from models import bundle, registry, training
from models.recipe import Recipe
from models.registry import training_run
from pipeline import shipped
from pipeline.champion import champion, place_of
from pipeline.cli.show_registered import show_models, show_promotion, show_rollback
from pipeline.cli.show_scores import show_scores
from pipeline.published.run_files import LIST
from pipeline.score_store import ScoreStore
from pipeline.settings import load
from pipeline.stages import registered
from pipeline.stages.features import compute_training_table
from pipeline.stages.ingest import ingest
from pipeline.stages.score import score
from pipeline.stored_run import Unpublished
from pipeline.synthetic.shop import generate
from pipeline.workspace import Workspace

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime(2025, 2, 1, tzinfo=UTC)
CUT = datetime(2024, 12, 2, 5, tzinfo=UTC)  # midnight in New York
AS_OF = datetime(2024, 12, 2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the config of a shop whose data ended on 2 December, and a model trained then."""
    folder = tmp_path_factory.mktemp("shop")
    generate(folder / "whole", leads=1000, seed=3)
    write_config(folder, until=CUT.isoformat())
    (folder / "synthetic_shop").mkdir()
    for name in ("leads", "orders", "sessions", "events", "identities"):
        rows = pq.read_table(folder / "whole" / f"{name}.parquet")
        pq.write_table(as_it_was(rows), folder / "synthetic_shop" / f"{name}.parquet")
    found = load(folder / "leadlight.yaml")
    ingest(found, now=CUT)
    recipe = Recipe(max_trees=20, bags=1, groups=2, blocks=1)
    registry.prepare(place_of(found))
    return found, training.train(compute_training_table(found), config=training.TrainingConfig(recipe=recipe)).model


@pytest.fixture
def settings(trained):
    """Return the shop with one version of its model and no scores: no test meets what another one left."""
    found, model = trained
    place = place_of(found)
    shutil.rmtree(found.shop.workspace / "scores", ignore_errors=True)
    shutil.rmtree(found.shop.workspace / "mlartifacts", ignore_errors=True)
    asked = training_run.client(place)
    if asked.search_registered_models(f"name = '{place.name}'"):
        asked.delete_registered_model(place.name)
    asked.create_registered_model(place.name)
    register(found, model)
    return found


def as_it_was(rows):
    """Return the export of a table as it was when the data ended: later rows and cancellations were not in it."""
    known = rows["recorded_at" if "recorded_at" in rows.column_names else "linked_at"]
    rows = rows.filter(pc.less(known, pa.scalar(CUT)))
    if "cancelled_at" not in rows.column_names:
        return rows
    place, at = rows.schema.get_field_index("cancelled_at"), rows["cancelled_at"]
    so_far = pc.if_else(pc.less(at, pa.scalar(CUT)), at, None)
    return rows.set_column(place, rows.schema.field(place), so_far)


def write_config(folder, *, until=""):
    """Write the synthetic shop's config; its data end at *until*."""
    raw = yaml.safe_load(shipped.config("synthetic_shop").read_text(encoding="utf-8"))
    for source in raw["tables"].values():
        source["data_until"] = until or source["data_until"]
    (folder / "leadlight.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")


def store_of(settings):
    """Return the shop's stored scores."""
    return ScoreStore(Workspace(settings.shop.workspace))


def part_of(settings, run):
    """Return the file of a run."""
    return settings.shop.workspace / "scores" / run.part


def another_version(settings):
    """Register a model that differs a little from the champion; return its label."""
    model, _ = champion(settings)
    shifted = replace(model.blend, b=model.blend.b + 0.1)
    return register(settings, replace(model, blend=shifted, reference=model.reference + 0.1))


def register(settings, model):
    """Register *model* as training does at its end; return its label."""
    place = place_of(settings)
    asked = training_run.client(place)
    number = 1 + len(registry.versions(place))
    folder = settings.shop.workspace / "mlartifacts" / f"v{number}"
    bundle.save(model, folder / "artifacts" / "bundle")
    asked.create_model_version(place.name, folder.as_uri(), run_id=f"{number}bbbbbbbbbbb")
    training_run._name(asked, place, str(number), alias="")
    return registry.version(place, str(number)).label


def equal_but_for_scored_at(one, other):
    """Compare two runs column by column, to the byte."""
    assert one.column_names == other.column_names
    for name in one.column_names:
        if name != "scored_at":
            assert as_bytes(one.select([name])) == as_bytes(other.select([name])), name


def as_bytes(table):
    """Return a table's columns as Arrow writes them; the note of the file, which says when, is not one."""
    sink = io.BytesIO()
    plain = table.replace_schema_metadata(None).combine_chunks()
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_table(plain)
    return sink.getvalue()


def test_a_rollback_publishes_the_stored_scores_to_the_byte_and_rescoring_gives_them_again(settings):
    """Promote, score, roll back: the file is the one that was stored; scored anew it differs in scored_at alone."""
    store, first = store_of(settings), champion(settings)[1]
    score(settings, as_of=AS_OF, scored_at=NOW)
    stored = part_of(settings, store.published()).read_bytes()
    second = another_version(settings)
    told = registered.promote(settings, why="it looks better", at=NOW)
    assert (told.champion, told.before, told.is_new) == (second, first, True)
    assert store.published().model_version == first  # a promotion publishes nothing
    score(settings, as_of=AS_OF, scored_at=NOW)
    assert store.published().model_version == second

    back = registered.rollback(settings, why="it was not", at=NOW)
    assert (back.champion, back.rolled_back, back.is_published) == (first, second, True)
    run = store.published()
    assert run.model_version == first
    assert part_of(settings, run).read_bytes() == stored
    again = score(settings, as_of=AS_OF, scored_at=datetime(2025, 3, 1, tzinfo=UTC))
    assert not again.is_new
    assert part_of(settings, run).read_bytes() == stored

    part_of(settings, run).unlink()
    assert score(settings, as_of=AS_OF, scored_at=datetime(2025, 3, 1, tzinfo=UTC)).is_new
    fresh, kept = store.read(run), pq.read_table(io.BytesIO(stored))
    assert fresh["scored_at"] != kept["scored_at"]
    equal_but_for_scored_at(fresh, kept)
    assert [reign.version for reign in registered.models(settings).history[:3]] == [first, second, first]


def test_a_replay_with_more_data_gives_the_same_bytes(settings):
    """What became known after the moment of scoring changes no column, data_until included."""
    store = store_of(settings)
    score(settings, as_of=AS_OF, scored_at=NOW)
    run = store.published()
    before = store.read(run)
    folder = settings.shop.workspace.parent
    (folder / "synthetic_shop").rename(folder / "earlier")
    (folder / "whole").rename(folder / "synthetic_shop")
    write_config(folder)
    later = load(folder / "leadlight.yaml")
    assert ingest(later, now=NOW).is_changed
    part_of(settings, run).unlink()
    assert score(later, as_of=AS_OF, scored_at=datetime(2025, 3, 1, tzinfo=UTC)).is_new
    equal_but_for_scored_at(store.read(run), before)


@pytest.mark.parametrize("step", ["set_registered_model_alias", "set_registered_model_tag"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_rollback_cut_short_is_finished_by_the_next_and_goes_no_further(settings, monkeypatch, step, place):
    """Wherever it stops, before or after the alias moves: run again, it does the same, not one champion more."""
    store, first = store_of(settings), champion(settings)[1]
    score(settings, scored_at=NOW)
    for _ in range(2):
        registered.promote(settings, another_version(settings), at=NOW)
        score(settings, scored_at=NOW)
    second = registered.models(settings).history[1].version
    with monkeypatch.context() as patched:
        done = []

        def dies(self, *arguments):
            if len(done) == place:
                raise KeyboardInterrupt
            done.append(arguments)
            return before(self, *arguments)

        before = getattr(MlflowClient, step)
        patched.setattr(MlflowClient, step, dies)
        with pytest.raises(KeyboardInterrupt):
            registered.rollback(settings, at=NOW)
    assert registered.rollback(settings, at=NOW).champion == champion(settings)[1] == second
    assert store.published().model_version == second
    assert registered.rollback(settings, at=NOW).champion == first
    assert store.published().model_version == first


def test_scores_of_the_future_are_refused(settings):
    """A mistyped year is told: stored scores stay, and a rollback would publish them again."""
    with pytest.raises(LeadlightError, match=r"2098-01-01 lies in the future(.|\n)*leave --as-of out"):
        score(settings, as_of=datetime(2098, 1, 1), scored_at=NOW)
    assert store_of(settings).newest(champion(settings)[1]) is None


def test_a_champion_without_stored_scores_is_rolled_back_to_and_says_so(settings):
    """Nothing is published anew, and the person is told what to run."""
    store = store_of(settings)
    registered.promote(settings, another_version(settings), at=NOW)
    silent = champion(settings)[1]
    registered.promote(settings, another_version(settings), at=NOW)
    score(settings, scored_at=NOW)
    shown = store.published()
    told = registered.rollback(settings, at=NOW)
    assert (told.champion, told.is_published, told.leads) == (silent, False, 0)
    assert store.published() == shown


def test_damaged_files_are_refused_before_anything_changes(settings):
    """Neither alias nor manifest moves towards a model that cannot be read."""
    store = store_of(settings)
    registered.promote(settings, another_version(settings), at=NOW)
    score(settings, scored_at=NOW)
    kept, shown = champion(settings)[1], store.published()
    back_to = registry.previous_champion(place_of(settings))
    damaged = back_to.bundle / "model.json"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole + b" ")
    with pytest.raises(LeadlightError, match="not as it was written"):
        registered.rollback(settings, at=NOW)
    damaged.write_bytes(whole)
    assert (champion(settings)[1], store.published()) == (kept, shown)


def test_a_champion_replaced_while_it_scores_does_not_publish(settings, monkeypatch):
    """A promotion in the middle of a long run is not overruled when that run ends."""
    store, before = store_of(settings), champion(settings)[1]
    score(settings, scored_at=NOW)
    registered.promote(settings, another_version(settings), at=NOW)
    score(settings, scored_at=NOW)
    shown, add = store.published(), ScoreStore.add

    def rolled_back_meanwhile(self, *arguments, **more):
        registered.rollback(settings, at=NOW)
        return add(self, *arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(ScoreStore, "add", rolled_back_meanwhile)
        report = score(settings, as_of=datetime(2024, 11, 4), scored_at=NOW)
    assert report.unpublished is Unpublished.ANOTHER_SCORES
    assert champion(settings)[1] == before
    assert store.published() != shown
    assert store.published().model_version == before


def test_a_moment_before_the_published_one_is_stored_and_readers_keep_theirs(settings):
    """It can be looked at and compared with; asked for no moment, the newest is published, whatever is there."""
    store = store_of(settings)
    newest = score(settings, scored_at=NOW)
    shown = store.published()
    older = score(settings, as_of=datetime(2024, 11, 4), scored_at=NOW)
    assert (newest.unpublished, older.unpublished) == (None, Unpublished.OLDER_MOMENT)
    assert store.published() == shown
    [stored] = [run for run in store.runs() if run.as_of < shown.as_of]
    assert set(store.read(stored)["lead_id"].to_pylist()) >= {lead["lead_id"] for lead in older.best}
    # What came later is no score of before.
    assert pq.read_table(store.folder_of(stored) / LIST)["previous_score"].null_count == older.leads
    later = score(settings, as_of=datetime(2025, 1, 31), scored_at=NOW)
    assert (later.unpublished, later.as_of > newest.as_of) == (None, True)
    assert score(settings, scored_at=NOW).unpublished is None
    assert store.published() == shown
    console = Console(file=io.StringIO(), width=150)
    show_scores(console, older)
    assert "readers see those of a later moment" in console.file.getvalue()


def test_what_killed_runs_left_goes_with_the_next_publication(settings):
    """Halves of runs of any moment, and of exports, whose process is gone; what somebody still writes stays."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    scores, exports = settings.shop.workspace / "scores", settings.shop.workspace / "exports"
    halves = [
        scores / "as_of=2024-01-01T000000Z" / f".model=1-a.0f.{ended.pid}.part",
        exports / f".x.csv.{ended.pid}.part",
    ]
    mine = exports / f".y.csv.{os.getppid()}.part"
    for half in (*halves, mine):
        half.mkdir(parents=True)
    score(settings, scored_at=NOW)
    assert [half.exists() for half in (*halves, mine)] == [False, False, True]
    assert not halves[0].parent.exists()


def test_the_newest_stored_run_is_the_one_of_the_latest_moment(tmp_path):
    """Neither when it was written nor how its folder sorts decides, and microseconds count."""
    store = ScoreStore(Workspace(tmp_path))
    scores = pa.table({"lead_id": ["a"]})
    moments = (5_000_000_000_000_001, 5_000_000_000_000_000, 4_000_000)
    runs = [store.add(scores, as_of=moment, model_version="1-a", scored_at=NOW) for moment in moments]
    assert store.newest("1-a") == runs[0]
    assert store.newest("2-b") is None


def test_what_people_read(settings):
    """Versions, history, promotions and rollbacks are told in plain lines, and markup in a reason is not obeyed."""
    registered.promote(settings, another_version(settings), why="[bold]because[/bold]", at=NOW)
    console = Console(file=io.StringIO(), width=150)
    show_models(console, registered.models(settings))
    show_promotion(console, registered.PromoteReport("2-b", "1-a", is_new=False))
    show_rollback(console, registered.RollbackReport("1-a", "2-b", "2024-12-02", 1234))
    printed = console.file.getvalue()
    for expected in (
        "by hand: [bold]because[/bold]",
        "champion already",
        "are published again",
        "1,234",
        "first model",
    ):
        assert expected in printed
