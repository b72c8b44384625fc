"""What MLflow keeps of a training: how CRMs are reached, and what lets us in, is not among it."""

import logging
import shutil
from datetime import UTC, datetime

import pytest
import yaml

from features.errors import LeadlightError
from pipeline import shipped
from pipeline.crm.session import Outside
from pipeline.settings import load
from pipeline.stages.ingest import ingest
from pipeline.stages.publish import publish
from pipeline.stages.score import score
from pipeline.stages.train import train
from pipeline.synthetic.shop import generate
from support.publishing import YES

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NOW = datetime(2025, 2, 1, tzinfo=UTC)
FROM_THE_ENVIRONMENT = "pat-eu1-of-the-environment"
MISPLACED = ("pat-eu1-in-the-config", "hunter2-in-the-config")
"""Secrets that somebody wrote where none belongs."""
CRM = {
    "hubspot": {"fields": {"leadlight_score": "score"}, "connect": {"token": MISPLACED[0]}},
    "sql": {"fields": {"score": "score"}, "connect": {"url": f"postgresql://u:{MISPLACED[1]}@db/crm", "table": "t"}},
}


@pytest.fixture
def settings(tmp_path):
    """Return the synthetic shop's config with secrets where none belongs."""
    place = tmp_path / "leadlight.yaml"
    shutil.copyfile(shipped.config("synthetic_shop"), place)
    place.write_text(place.read_text(encoding="utf-8") + yaml.safe_dump({"crm": CRM}), encoding="utf-8")
    found = load(place)
    return found.model_copy(update={"model": found.model.model_copy(update={"max_trees": 12})})


def test_a_training_keeps_no_secret(settings, monkeypatch, caplog):
    """Neither one of the environment nor one that stands wrongly in the config is logged, recorded or shown."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("LEADLIGHT_HUBSPOT_TOKEN", FROM_THE_ENVIRONMENT)
    generate(settings.data_folder, leads=700, seed=5)
    ingest(settings, now=NOW)
    trained = train(settings)
    score(settings, scored_at=NOW)
    refused = publish(settings, YES, outside=Outside())
    assert {failure.exit_code for failure in refused.failures} == {2}
    kept = {path: path.read_bytes() for path in settings.shop.workspace.rglob("*") if path.is_file()}
    assert any("mlartifacts" in path.parts and path.name == "config.yaml" for path in kept)
    said = "\n".join([repr(settings), repr(trained), repr(refused), caplog.text])
    for secret in (FROM_THE_ENVIRONMENT, *MISPLACED):
        assert secret not in said
        assert [path for path, held in kept.items() if secret.encode() in held] == []


def test_a_config_with_a_fault_elsewhere_does_not_show_them(settings, tmp_path):
    """What is told of a wrong setting repeats nothing of its neighbours."""
    place = tmp_path / "leadlight.yaml"
    wrong = yaml.safe_load(place.read_text(encoding="utf-8"))
    wrong["crm"]["hubspot"]["colour"] = "blue"
    place.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    with pytest.raises(LeadlightError) as raised:
        load(place)
    assert "colour" in str(raised.value)
    assert not any(secret in str(raised.value) for secret in MISPLACED)
