"""Logs go to stderr, so that stdout holds the result and nothing else."""

import logging
import sys

#: Libraries whose news is no news to a person at the command line.
_CHATTY = ("alembic", "matplotlib", "mlflow", "numba", "shap")


def log_to_stderr(*, verbose: bool) -> None:
    """Send the logs of Leadlight to stderr: warnings always, every step where *verbose*."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for package in ("features", "models", "pipeline"):
        logging.getLogger(package).setLevel(logging.DEBUG if verbose else logging.WARNING)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
