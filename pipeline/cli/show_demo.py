"""What `leadlight demo` prints for people: each step as it is done, and what to open next."""

import shlex

from rich.console import Console
from rich.rule import Rule

from pipeline.cli.options import seen_in_mlflow, typed
from pipeline.cli.show_features import show_features
from pipeline.cli.show_ingest import show_ingest
from pipeline.cli.show_scores import show_scores
from pipeline.cli.show_training import show_training
from pipeline.stages.demo import DemoPaths, Step
from pipeline.stages.features import FeaturesReport
from pipeline.stages.ingest_report import IngestReport
from pipeline.stages.score_report import ScoreReport
from pipeline.stages.train_report import TrainReport
from pipeline.synthetic.judge import BestPossible


def show_step(console: Console, step: Step) -> None:
    """Print one step's report under its heading."""
    if isinstance(step, IngestReport):
        _heading(console, "1  Tables")
        show_ingest(console, step)
    elif isinstance(step, FeaturesReport):
        _heading(console, "2  Snapshots and features")
        show_features(console, step)
    elif isinstance(step, TrainReport):
        _heading(console, "3  Model")
        show_training(console, step)
    elif isinstance(step, BestPossible):
        show_best_possible(console, step)
    elif isinstance(step, ScoreReport):
        _heading(console, "4  Leads")
        show_scores(console, step)
    else:
        _heading(console, "Next")
        _show_paths(console, step)


def show_best_possible(console: Console, judged: BestPossible) -> None:
    """Print how close the model comes to the best possible prediction."""
    console.print(
        f"\nBest possible on these {judged.rows:,} snapshots: AUC {judged.auc:.3f}, log-loss {judged.log_loss:.4f}. "
        f"The model: AUC {judged.model.auc:.3f}, log-loss {judged.model.log_loss:.4f}; "
        f"[bold]{judged.share_of_possible_auc:.0%}[/bold] of the way in AUC, "
        f"[bold]{judged.share_of_possible_log_loss:.0%}[/bold] in log-loss."
    )


def _show_paths(console: Console, paths: DemoPaths) -> None:
    lines = (
        ("One lead, told in full", typed(f"explain {shlex.quote(paths.best_lead)}", paths.config)),
        ("All leads, ranked", str(paths.scores)),
        ("What to know of the model", str(paths.card)),
        ("Curves and SHAP summary", str(paths.plots)),
        ("What each feature means", str(paths.data_dictionary)),
        ("The run in MLflow", seen_in_mlflow(paths.tracking_uri)),
    )
    for what, where in lines:
        console.print(f"  {what:<27}{where}", markup=False, soft_wrap=True)


def _heading(console: Console, title: str) -> None:
    console.print()
    console.print(Rule(f"[bold]{title}[/bold]", align="left", style="dim"))
