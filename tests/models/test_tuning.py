"""A study: the default first, the same each time, going on after a cut, within its budgets, blind to the hold-out."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from features.errors import LeadlightError
from models import tuning_study
from models.cross_fit import Plan
from models.objectives import OBJECTIVES
from models.recipe import Recipe
from models.registry.training import plain
from models.rematch import remembered
from models.training import TrainingConfig, checked_split, ripe_rows
from models.trees import grow, grow_on_bins, grow_watched, rows_in_bins, settings_for
from models.tuned import Tuned
from models.tuning import Standing, Tuning, TuningConfig, begun
from models.tuning_gain import GROUPS
from models.tuning_judge import Round
from models.tuning_study import COMPLETE, PRUNED, StudyName, opened

# SQLAlchemy and Optuna warn of what they will change, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DEFAULT = Tuned(0.1, 15, 100, 0.08, 0.7, 0.8, 1.0, monotone=False)
LOG_LOSS = OBJECTIVES["log_loss"]
NAME = StudyName("asks", "data")
#: A small model, so that a trial takes a moment.
SMALL = TuningConfig(training=TrainingConfig(recipe=Recipe(max_trees=20, blocks=2, threads=1), test_as_ofs=1), trials=3)


class StubJudge:
    """Judges by a formula: far from a rate of 0.1 is bad, and very far is bad from the first round on."""

    folds = SimpleNamespace(rounds=((), (), ()))

    def __init__(self, *, seconds: float = 0.0, breaks_at: int | None = None) -> None:
        self.now, self.seconds, self.breaks_at, self.asked = 0.0, seconds, breaks_at, 0

    def clock(self) -> float:
        return self.now

    def rounds(self, tuned):
        self.asked += 1
        if self.asked == self.breaks_at:
            raise KeyboardInterrupt
        for place in range(3):
            self.now += self.seconds / 3
            value = 0.3 + 0.01 * place + abs(np.log(tuned.rate / 0.1))
            yield Round(value, np.full(GROUPS, value), (10,))


def tried(folder, count, *, seed=0, name=NAME, judge=None, default=DEFAULT):
    """Run trials until the study has *count*, and return them."""
    judge = judge or StubJudge()
    with opened(folder / "tuning.db", name, objective=LOG_LOSS, seed=seed, has_directions=True) as study:
        while len(study.finished()) < count:
            study.try_one(judge, default=default, clock=judge.clock)
        return study.finished()


def without_time(trials):
    """Return the trials without how long they took."""
    return [replace(trial, seconds=0.0) for trial in trials]


def test_the_default_is_trial_zero_and_its_settings_come_back_equal(tmp_path):
    """What is judged first is the default, to the bit, and every trial has its number."""
    trials = tried(tmp_path, 4)
    assert trials[0].tuned == DEFAULT
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert trials[0].state == COMPLETE


def test_the_same_seed_tries_the_same(tmp_path):
    """Two studies of one seed are equal, another seed tries something else."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    one, two = tried(tmp_path / "one", 10), tried(tmp_path / "two", 10)
    assert without_time(one) == without_time(two)
    assert without_time(tried(tmp_path / "three", 2, seed=1)) != without_time(one[:2])


def test_a_study_cut_short_goes_on_as_if_it_had_run_through(tmp_path):
    """Killed in trials 3 and 9, the study proposes them again under their numbers, and ends as one never killed."""
    for name in ("through", "cut"):
        (tmp_path / name).mkdir()
    for at in (3, 9):
        tried(tmp_path / "cut", at)
        with opened(tmp_path / "cut" / "tuning.db", NAME, objective=LOG_LOSS, seed=0, has_directions=True) as study:
            study._ask(at, DEFAULT).suggest_int("leaves", 4, 31, log=True)  # running, and never told how it ended
        with opened(tmp_path / "cut" / "tuning.db", NAME, objective=LOG_LOSS, seed=0, has_directions=True) as study:
            assert study.cut_short == 1
            assert len(study.finished()) == at
    assert without_time(tried(tmp_path / "cut", 10)) == without_time(tried(tmp_path / "through", 10))


def test_a_default_that_waited_when_the_study_was_cut_is_not_tried_twice(tmp_path):
    """Cut between giving a trial and asking for it, nothing waits on the next start."""
    with opened(tmp_path / "tuning.db", NAME, objective=LOG_LOSS, seed=0, has_directions=True) as study:
        study._study.enqueue_trial({"leaves": 4})
    trials = tried(tmp_path, 3)
    assert trials[0].tuned == DEFAULT
    assert len({trial.tuned for trial in trials}) == 3


def test_an_interrupted_trial_does_not_count(tmp_path):
    """Ctrl-C in trial 2 leaves two finished trials, and the next run tries number 2."""
    judge = StubJudge(breaks_at=3)
    with pytest.raises(KeyboardInterrupt):
        tried(tmp_path, 5, judge=judge)
    with opened(tmp_path / "tuning.db", NAME, objective=LOG_LOSS, seed=0, has_directions=True) as study:
        assert [trial.number for trial in study.finished()] == [0, 1]
        assert study.cut_short == 0
    assert [trial.number for trial in tried(tmp_path, 5)] == [0, 1, 2, 3, 4]


def test_hopeless_trials_are_given_up_and_are_never_the_best(tmp_path):
    """Some trials end after fewer rounds than the others; they count, and the best went through all rounds."""
    trials = tried(tmp_path, 10)
    pruned = [trial for trial in trials if trial.state == PRUNED]
    assert pruned
    assert all(len(trial.rounds) < 3 and not trial.without_group for trial in pruned)
    assert all(len(trial.rounds) == 3 and len(trial.without_group) == GROUPS for trial in trials if trial not in pruned)


def test_other_data_begin_a_new_study_from_the_best_of_the_old(tmp_path):
    """The same question of other data tries the default, then the old best; another question knows nothing of it."""
    old = tried(tmp_path, 4)
    best = min((trial for trial in old if trial.state == COMPLETE), key=lambda trial: trial.value)
    new = tried(tmp_path, 2, name=StudyName("asks", "grown"))
    assert [trial.tuned for trial in new] == [DEFAULT, best.tuned]
    assert tried(tmp_path, 2, name=StudyName("another", "data"))[1].tuned != best.tuned


def test_a_file_that_is_no_study_is_refused(tmp_path):
    """A text file in the study's place is told, and left as it is."""
    (tmp_path / "tuning.db").write_text("not a database, but rather a long enough text to be taken for one" * 20)
    with pytest.raises(LeadlightError, match=r"is not a study that this version"):
        tried(tmp_path, 1)


def budgeted(folder, judge, *, trials=30, seconds=100.0):
    """Run a study within its budgets, by the judge's own clock; return its trials and what was watched."""
    seen: list[Standing] = []
    ground = SimpleNamespace(judge=judge, default=DEFAULT)
    judge.objective = LOG_LOSS
    with opened(folder / "tuning.db", NAME, objective=LOG_LOSS, seed=0, has_directions=False) as study:
        Tuning(study, ground, TuningConfig(trials=trials, seconds=seconds)).run(clock=judge.clock, watch=seen.append)
        return study.finished(), seen


def test_no_trial_begins_that_would_end_after_the_time(tmp_path):
    """With 35 seconds and trials of ten, three are run; the next run of the same length adds three more at most."""
    judge = StubJudge(seconds=10.0)
    trials, _ = budgeted(tmp_path, judge, seconds=35.0)
    assert len(trials) == 3
    assert judge.now <= 35.0
    again = StubJudge(seconds=10.0)
    assert len(budgeted(tmp_path, again, seconds=35.0)[0]) >= 6
    assert again.now <= 35.0


def test_the_budget_of_trials_counts_those_of_earlier_runs(tmp_path):
    """Asked for four and then for six, two more are run; asked again, none."""
    assert len(budgeted(tmp_path, StubJudge(), trials=4)[0]) == 4
    for expected in (2, 0):
        judge = StubJudge()
        assert len(budgeted(tmp_path, judge, trials=6)[0]) == 6
        assert judge.asked == expected


def test_whoever_watches_is_told_each_trial_and_the_best_so_far(tmp_path):
    """Standings count up to the total, and their best never gets worse."""
    _, seen = budgeted(tmp_path, StubJudge(), trials=8)
    assert [standing.done for standing in seen] == list(range(9))
    best = [standing.best.value for standing in seen[1:]]
    assert best == sorted(best, reverse=True)


@pytest.fixture(scope="module")
def shop(make_shop):
    """Return a shop of 250 leads at five moments."""
    return make_shop(250)


def studied(table, folder, config=SMALL):
    """Return the result of a whole study on *table*."""
    study = begun(table, config, database=folder / "tuning.db", asks="q", fingerprint="f")
    with study as tuning:
        tuning.run(clock=lambda: 0.0, watch=lambda _: None)
        return tuning.result()


@pytest.fixture(scope="module")
def result(shop, tmp_path_factory):
    """Return the result of a small study on real models."""
    return studied(shop, tmp_path_factory.mktemp("study"))


def test_trials_go_forward_and_the_result_says_what_they_judged(result, shop):
    """Rounds lie before the hold-out, in order, and hold conversions."""
    assert result.is_forward
    assert [info.first_as_of for info in result.rounds] == sorted(info.first_as_of for info in result.rounds)
    assert all(info.conversions for info in result.rounds)
    assert result.rows == result.rows_seen < len(shop)
    assert result.tuned is None or result.gain.is_clear


def test_the_hold_out_has_no_part_in_the_choice(result, shop, tmp_path):
    """With every label and number of the hold-out turned over, each trial is what it was, bit by bit."""
    _, moments, order = ripe_rows(shop)
    test = order[checked_split(moments, SMALL.training).test]
    converted = shop.labels["converted"].to_numpy().copy()
    converted[test[: len(test) // 2]] ^= True
    orders = shop.columns["orders_count_30d"].to_numpy().copy()
    orders[test] += 1000.0
    labels = shop.labels.set_column(0, "converted", pa.array(converted))
    columns = shop.columns.set_column(0, "orders_count_30d", pa.array(orders))
    other = studied(replace(shop, labels=labels, columns=columns), tmp_path)
    assert without_time(other.trials) == without_time(result.trials)


def test_the_order_of_rows_changes_no_trial(result, shop, tmp_path):
    """Snapshots in another order are the same study."""
    mixed = shop.take(np.random.default_rng(0).permutation(len(shop)))
    assert without_time(studied(mixed, tmp_path).trials) == without_time(result.trials)


def test_threads_and_what_was_found_before_do_not_name_the_study(result, shop, tmp_path):
    """The same study goes on on a machine with more cores, and after its settings came into use."""
    recipe = replace(SMALL.training.recipe, threads=2, tuned=result.best.tuned)
    config = replace(SMALL, training=replace(SMALL.training, recipe=recipe), trials=1)
    assert studied(shop, tmp_path, config).study == result.study
    assert studied(shop, tmp_path, replace(config, objective="roc_auc")).study.asks != result.study.asks


def test_trials_on_a_sample_say_so(shop, tmp_path):
    """Beyond the most rows, whole leads are left out, and the result counts what was seen."""
    found = studied(shop, tmp_path, replace(SMALL, most_rows=500, trials=1))
    assert 350 < found.rows_seen < 650 < found.rows


def test_bins_made_once_grow_the_trees_of_bins_made_anew():
    """Sharing LightGBM's bins among settings changes no bit of any of them, whichever came before."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(800, 4)).astype(np.float32)
    converted = rng.random(800) < 1 / (1 + np.exp(-matrix[:, 0]))
    judged = matrix[600:], converted[600:]
    shared = rows_in_bins(matrix[:600], converted[:600], judged=judged)
    base = settings_for(600, conversions=100, seed=0, threads=1)
    for settings in (base, replace(base, least_rows=5, leaves=4, l2=9.0), replace(base, monotone=(1, 0, -1, 0)), base):
        fresh, losses = grow_watched(matrix[:600], converted[:600], settings, judged=judged, most=20)
        again, same = grow_on_bins(shared, settings, most=20)
        assert np.array_equal(losses, same)
        assert np.array_equal(fresh.predict(matrix), again.predict(matrix))
        assert grow(matrix, converted, settings, trees=2).num_trees() == 2


def test_found_settings_are_plain_data():
    """Settings go to JSON and back; what no model could be fitted with is refused."""
    assert Tuned.from_plain(DEFAULT.as_plain()) == DEFAULT
    with pytest.raises(ValueError, match="out of range: rate = -1"):
        Tuned.from_plain(DEFAULT.as_plain() | {"rate": -1})
    with pytest.raises(ValueError, match="in place of"):
        Tuned.from_plain({"leaves": 7})


def test_a_champion_is_remembered_with_the_settings_that_were_found_for_it():
    """The notes of a training bring back its recipe, found settings and directions included; older notes have none."""
    settings = DEFAULT.grown(settings_for(600, conversions=100, seed=0, threads=1), directions=(1, 0))
    shipped = {"recipe": Recipe(tuned=DEFAULT), "plan": Plan(0.1, 5, 2, settings), "closed_by": 7}
    reign = remembered(None, json.loads(json.dumps({"model_that_ships": plain(shipped)})))
    assert reign.recipe == Recipe(tuned=DEFAULT)
    assert reign.plan == Plan(0.1, 5, 2, settings)
    older = plain(shipped | {"recipe": {"seed": 3}})
    assert remembered(None, {"model_that_ships": older}).recipe == Recipe(seed=3)


def test_every_setting_has_words_and_a_place_in_the_space(tmp_path):
    """What tuning may find is what it seeks, and what people are shown."""
    from dataclasses import fields

    from models.plots_tuning import WORDS

    assert list(WORDS) == [field.name for field in fields(Tuned)]
    assert len({trial.tuned for trial in tried(tmp_path, 6)}) == 6
    assert tuning_study.FREE_TRIALS > 1
