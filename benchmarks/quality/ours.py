"""Leadlight on a task: its own recipe, fitted on the training rows."""

from __future__ import annotations

from benchmarks.quality.rows import Floats
from benchmarks.quality.task import Task
from models.recipe import Recipe, fit_recipe
from models.training import ripe_rows

NAME = "leadlight"


def log_odds(task: Task, *, threads: int) -> Floats:
    """Return the calibrated log-odds of the test rows, shape ``(n_test,)``."""
    table, moments, _ = ripe_rows(task.table.take(task.train))
    model, _ = fit_recipe(table, moments, Recipe(threads=threads), notify=lambda _: None)
    return model.margins(task.table.take(task.test))
