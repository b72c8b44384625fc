"""Who is champion, who was, and what a change that is cut short leaves behind."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from models import bundle, registry
from models.registry import lookup, promotion, reigns, training_run
from models.registry.lookup import CHAMPION, ModelVersion
from models.registry.reigns import OUTSIDE, Note, happened, notes, previous, tag

pytestmark = pytest.mark.filterwarnings("ignore")

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
CHANGES = ("set_registered_model_tag", "set_registered_model_alias", "delete_registered_model_alias")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Return a workspace with MLflow's database, made once: that takes seconds."""
    folder = tmp_path_factory.mktemp("records")
    registry.prepare(registry.in_workspace(folder, name="shop"))
    return folder


@pytest.fixture
def shop(records, request, lead_model):
    """Return a function that makes a place of its own with so many versions, the first one champion."""

    def make(count, name=""):
        place = registry.in_workspace(records, name=f"{request.node.name} {name}")
        for number in range(1, count + 1):
            add_version(place, lead_model, number)
        return place

    return make


def add_version(place, model, number):
    """Register a bundle as training does at its end."""
    folder = place.fetched.parent / "files" / place.name / str(number)
    bundle.save(model, folder / "artifacts" / "bundle")
    asked = training_run.client(place)
    if number == 1:
        asked.create_registered_model(place.name)
    asked.create_model_version(place.name, folder.as_uri(), run_id=f"{number}aaaaaaaaaaa")
    training_run._name(asked, place, str(number), alias="")


def labels(place):
    """Return the champions so far, the present one first."""
    return [reign.version[0] for reign in registry.history(place)]


def aliases(place):
    """Return the aliases of each version by number."""
    return {one.number: one.aliases for one in registry.versions(place)}


def test_the_first_model_is_champion_and_its_reign_is_noted(shop):
    """The history begins with the first training."""
    place = shop(2)
    (reign,) = registry.history(place)
    assert (reign.version, reign.why, reign.before, reign.until) == ("1-1aaaaaaa", "first model", "", None)
    assert reign.since == registry.versions(place)[1].trained_at.replace(microsecond=0)
    assert aliases(place) == {2: ("challenger",), 1: ("champion",)}


def test_the_challenger_is_promoted_and_the_one_before_stays_findable(shop):
    """The alias moves, the other aliases follow, and the history says who, when and why."""
    place = shop(2)
    told = registry.promote(place, why="gate: better by 0.01", at=NOON)
    assert (told.version, told.before, told.why, told.since) == (
        "2-2aaaaaaa",
        "1-1aaaaaaa",
        "gate: better by 0.01",
        NOON,
    )
    assert aliases(place) == {2: ("champion",), 1: ("previous-champion",)}
    now, first = registry.history(place)
    assert now == told
    assert first.until == NOON
    with pytest.raises(LeadlightError, match="waits to become champion"):
        registry.promote(place, why="again", at=NOON)


def test_promoting_the_champion_changes_nothing(shop):
    """A command that is run again finds its work done."""
    place = shop(2)
    told = registry.promote(place, "2", why="by hand", at=NOON)
    before = lookup.model_tags(place)
    assert registry.promote(place, "2", why="by hand", at=NOON + timedelta(days=1)) == told
    assert lookup.model_tags(place) == before


def test_rolling_back_again_goes_back_one_further(shop):
    """Three champions, two ways back, and then there is nobody left to go back to."""
    place = shop(3)
    for number in ("2", "3"):
        registry.promote(place, number, why="by hand", at=NOON)
    assert registry.previous_champion(place).number == 2
    told = registry.rollback(place, why="it called the wrong people", at=NOON)
    assert (told.version[0], told.why, told.is_rollback) == (
        "2",
        "rollback from 3-3aaaaaaa: it called the wrong people",
        True,
    )
    assert registry.rollback(place, at=NOON).version[0] == "1"
    assert labels(place) == ["1", "2", "3", "2", "1"]
    with pytest.raises(LeadlightError, match=r"There is no champion before 1-1aaaaaaa"):
        registry.rollback(place, at=NOON)
    assert aliases(place) == {3: (), 2: (), 1: ("champion",)}


def test_a_promotion_after_a_rollback_leads_back_to_where_it_came_from(shop):
    """Who was rolled back from is not gone back to, but may be promoted again."""
    place = shop(3)
    registry.promote(place, "2", why="by hand", at=NOON)
    registry.rollback(place, at=NOON)
    registry.promote(place, "3", why="by hand", at=NOON)
    assert registry.rollback(place, at=NOON).version[0] == "1"
    registry.promote(place, "2", why="by hand", at=NOON)
    assert registry.rollback(place, at=NOON).version[0] == "1"


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_model_whose_files_are_not_whole_never_becomes_champion(shop, damage):
    """Files are read before any alias moves, for a promotion and for a rollback."""
    place = shop(2, damage)
    registry.promote(place, "2", why="by hand", at=NOON)
    folder = registry.version(place, "1").bundle
    if damage == "gone":
        folder.rename(folder.with_name("elsewhere"))
    else:
        (folder / "model.json").write_text("{}")
    before = (lookup.model_tags(place), aliases(place))
    called = []
    with pytest.raises(LeadlightError, match=r"are gone|not as it was written"):
        registry.promote(place, "1", why="by hand", at=NOON)
    with pytest.raises(LeadlightError, match=r"are gone|not as it was written"):
        registry.rollback(place, at=NOON, first=called.append)
    assert (lookup.model_tags(place), aliases(place)) == before
    assert called == []


class Stopped(BaseException):
    """Stands for the end of the process."""


class Dying:
    """MLflow's client, until the step at which the process ends."""

    def __init__(self, asked, step, *, after):
        self._asked, self._left, self._after = asked, step, after

    def __getattr__(self, name):
        real = getattr(self._asked, name)
        return self._counted(real) if name in CHANGES else real

    def _counted(self, real):
        def call(*arguments):
            self._left -= 1
            if self._left < 0 and not self._after:
                raise Stopped
            real(*arguments)
            if self._left < 0:
                raise Stopped

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(5))
def test_a_promotion_cut_short_at_any_step_leaves_one_champion_and_a_true_history(shop, monkeypatch, step, after):
    """Alias and history agree at every step, and the next run finishes the work, noting it once."""
    place = shop(2, f"{step} {after}")
    real = promotion.client
    with monkeypatch.context() as patched:
        patched.setattr(promotion, "client", lambda place: Dying(real(place), step, after=after))
        with pytest.raises(Stopped):
            registry.promote(place, "2", why="by hand", at=NOON)
    champion = registry.champion(place)
    assert registry.history(place)[0].version == champion.label
    whys = [reign.why for reign in registry.history(place)]
    assert (labels(place), whys) in ((["1"], ["first model"]), (["2", "1"], ["by hand", "first model"]))
    registry.promote(place, "2", why="by hand", at=NOON)
    assert labels(place) == ["2", "1"]
    assert [reign.why for reign in registry.history(place)] == ["by hand", "first model"]
    assert aliases(place) == {2: ("champion",), 1: ("previous-champion",)}


def test_a_promotion_has_five_steps(shop, monkeypatch):
    """The test above stops it at each of them."""
    place = shop(2)
    real = promotion.client
    monkeypatch.setattr(promotion, "client", lambda place: Dying(real(place), 5, after=False))
    assert registry.promote(place, "2", why="by hand", at=NOON)


def test_two_changes_at_once_follow_each_other(shop):
    """Whoever comes second takes over from the first: no reign is lost, and each knows whom it replaced."""
    place = shop(5)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: registry.promote(place, number, why="by hand", at=NOON), "2345"))
    reigns = registry.history(place)
    assert sorted(reign.version[0] for reign in reigns) == ["1", "2", "3", "4", "5"]
    assert [reign.before for reign in reigns] == [*(reign.version for reign in reigns[1:]), ""]
    assert registry.champion(place).label == reigns[0].version
    assert registry.previous_champion(place).label == reigns[1].version


def test_a_champion_named_outside_is_told_as_such(shop):
    """Somebody may move the alias in MLflow's pages: it counts at once, and the history says what it knows."""
    place = shop(3)
    training_run.client(place).set_registered_model_alias(place.name, CHAMPION, "3")
    reign = registry.history(place)[0]
    assert (reign.version[0], reign.why, reign.since, reign.before[0]) == ("3", OUTSIDE, None, "1")
    registry.promote(place, "2", why="by hand", at=NOON)
    assert labels(place) == ["2", "3", "1"]
    assert registry.rollback(place, at=NOON).version[0] == "3"


def test_a_version_deleted_since_is_passed_over_on_the_way_back(shop):
    """What no longer exists cannot score."""
    place = shop(3)
    for number in ("2", "3"):
        registry.promote(place, number, why="by hand", at=NOON)
    training_run.client(place).delete_model_version(place.name, "2")
    assert registry.rollback(place, at=NOON).version[0] == "1"


def test_the_history_is_read_without_mlflow_and_mlflow_tells_the_same(shop, tmp_path):
    """A list of champions costs no import of MLflow."""
    place = shop(2)
    registry.promote(place, "2", why='by hand: naïve, "quoted"\nand longer', at=NOON)
    script = (
        "import sys; from pathlib import Path; from models import registry\n"
        f"place = registry.in_workspace(Path({str(place.fetched.parent)!r}), name={place.name!r})\n"
        "print(ascii(registry.history(place)[0].why), 'mlflow' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "'by hand: na\\xefve, \"quoted\" and longer' False"
    assert lookup.model_tags(place) == lookup._model_tags_by_mlflow(place)


def test_a_reason_fits_into_a_tag_and_obeys_no_terminal():
    """However long and however strange, it stays one line of plain text."""
    _, value = tag(7, Note("1-a", "", "", "\x1b[31mred\n" + "x" * 20_000))
    assert len(value) < 5000
    assert json.loads(value)["why"].startswith("[31mred xxx")


def test_a_tag_that_says_nothing_stops_nobody():
    """Tags can be edited by hand: what cannot be read is passed over."""
    key, value = tag(2, Note("1-a", "", NOON.isoformat(), "first model", done=True))
    kept = notes({f"{key[:-1]}1": "gibberish", f"{key[:-1]}3": '{"version": 1}', f"{key}x": value, key: value})
    assert list(kept) == [2]


class Records:
    """A model's tags and aliases in memory, as MLflow would keep them."""

    def __init__(self, count):
        self.tags, self.aliases = {}, {CHAMPION: 1}
        self.count = count

    def versions(self, _=None):
        return tuple(
            ModelVersion(number, f"{number}-x", tuple(a for a, of in self.aliases.items() if of == number), "x", NOON)
            for number in range(self.count, 0, -1)
        )

    def set_registered_model_tag(self, _, key, value):
        self.tags[key] = value

    def set_registered_model_alias(self, _, alias, number):
        self.aliases[alias] = int(number)

    def delete_registered_model_alias(self, _, alias):
        del self.aliases[alias]


STEPS = st.tuples(st.sampled_from(["promote", "promote", "rollback", "outside"]), st.integers(1, 4), st.integers(0, 12))


@given(st.lists(STEPS, max_size=12))
def test_history_and_way_back_are_those_of_a_plain_list(steps):
    """Whatever is promoted, rolled back, moved outside or cut short: a list with a top says the same."""
    records, line, is_settled = Records(4), [1], True
    with in_memory(records):
        promotion.settle(records, PLACE)
        for what, number, dies_at in steps:
            if what == "outside":
                if is_settled and number != line[-1]:
                    records.aliases[CHAMPION] = number
                    line, is_settled = [*line, number], False
                continue
            wanted = number if what == "promote" else line[-2] if len(line) > 1 else line[-1]
            if wanted == line[-1]:
                continue
            is_settled = changed(records, wanted, dies_at, is_rollback=what == "rollback")
            if records.aliases[CHAMPION] == wanted:
                line = line[:-1] if what == "rollback" else [*line, wanted]
            assert records.aliases[CHAMPION] == line[-1]
            assert promotion.champion_label(PLACE) == registry.history(PLACE)[0].version
            back = promotion.previous_champion(PLACE)
            assert (back.number if back else None) == (line[-2] if len(line) > 1 else None)


PLACE = SimpleNamespace(name="shop")


@contextmanager
def in_memory(records):
    """Let promotions and history read *records*."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (promotion, reigns):
            patched.setattr(module, "versions", records.versions)
            patched.setattr(module, "model_tags", lambda _: records.tags)
        yield


def changed(records, number, dies_at, *, is_rollback):
    """Change the champion until the process ends; return whether it got to its end."""
    dying = Dying(records, dies_at, after=bool(dies_at % 2))
    try:
        promotion.settle(dying, PLACE)
        chosen = next(one for one in records.versions() if one.number == number)
        promotion.move(dying, PLACE, chosen, why="x", at=NOON, is_rollback=is_rollback)
    except Stopped:
        return False
    return True


def test_the_way_back_passes_over_what_never_happened():
    """A note whose alias never moved is no reign, whatever comes after it."""
    there = Records(3).versions()
    begun, after = Note("2-x", "1-x", "", "cut short"), Note("3-x", "1-x", "", "by hand", done=True)
    first = Note("1-x", "", "", "first model", done=True)
    found = happened({1: first, 2: begun}, there)
    assert found == [first]
    three = tuple(
        ModelVersion(one.number, one.label, (CHAMPION,) if one.number == 3 else (), "x", NOON) for one in there
    )
    found = happened({1: first, 2: begun, 3: after}, three)
    assert [note.version for note in found] == ["1-x", "3-x"]
    assert previous(found, three).number == 1
