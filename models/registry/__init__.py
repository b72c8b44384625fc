"""Where trainings are remembered and models are handed over: MLflow, and nothing else, behind a few calls.

    place = in_workspace(folder, name="my shop")     where: a database, a folder of files, a name
    prepare(place)                                   the database made, so that no training is lost at its end
    log_training(place, training)                    one run: parameters, figures, pictures, and the model itself
    log_tuning(place, tuning)                        one run per study: all its trials, in a table and in pictures
    champion(place), version(place, label)           the folder of a bundle, read without MLflow where possible
    versions(place)                                  every model of this name, newest first
    promote(place, label, …), rollback(place, …)     which of them is champion, changed and noted
    history(place)                                   who was champion when, and why

Importing this package imports no MLflow; the calls do where they need it. The command line loads models with
`models.bundle` from the folders named here, so it runs no code that lies among the artifacts.
"""

from models.registry.lookup import CHALLENGER, CHAMPION, ModelVersion, champion, version, versions
from models.registry.place import Place, in_workspace
from models.registry.promotion import previous_champion, promote, rollback
from models.registry.reigns import Promotion, history
from models.registry.training import Training
from models.registry.training_run import log_training, prepare
from models.registry.tuning_run import RememberedTuning, log_tuning

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "ModelVersion",
    "Place",
    "Promotion",
    "RememberedTuning",
    "Training",
    "champion",
    "history",
    "in_workspace",
    "log_training",
    "log_tuning",
    "prepare",
    "previous_champion",
    "promote",
    "rollback",
    "version",
    "versions",
]
