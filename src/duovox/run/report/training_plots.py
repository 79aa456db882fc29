"""Learning curves: what changed from step to step."""

from __future__ import annotations

from functools import partial

from duovox.run.report.canvas import Plot
from duovox.run.report.curve import Curve
from duovox.run.report.panel import Panel
from duovox.run.report.pretraining_panels import PRETRAINING_PANELS

PANELS = (
    Panel(
        name="losses",
        title="Training losses",
        note="Faint: as logged. Bold: moving average over 2 % of the points.",
        columns=r"train_(?:(.+)_)?loss",
        y_label="Loss (nats per utterance)",
        is_noisy=True,
    ),
    Panel(
        name="validation_wer",
        title="Validation WER",
        note="Word error rate of each validation set; the dot marks its best.",
        columns=r"val_wer(?:_(?!eer$)(.+))?",  # not val_wer_eer, the sum that runs are chosen by
        y_label="WER (%)",
        is_percent=True,
    ),
    Panel(
        name="validation_eer",
        title="Validation EER",
        note="Equal error rate of each validation trial list; the dot marks its best.",
        columns=r"val_eer(?:_(.+))?",
        y_label="EER (%)",
        is_percent=True,
    ),
    Panel(
        name="learning_rate",
        title="Learning rate",
        note="As set by the schedule, after each optimiser step.",
        columns=r"learning_rate(?:_(.+))?",
        y_label="Learning rate",
        may_be_log=False,
    ),
    Panel(
        name="gradient_norm",
        title="Gradient norm",
        note="Euclidean norm over all parameters. Faint: as logged. Bold: moving average.",
        columns=r"gradient_norm(?:_(.+))?",
        y_label="Gradient norm",
        is_noisy=True,
    ),
    Panel(
        name="loss_weights",
        title="Loss weights",
        note="What each task's loss is multiplied with before the sum. Bold: moving average.",
        columns=r"train_(.+)_loss_weight",
        y_label="Weight",
        is_noisy=True,
        may_be_log=False,
        min_curves=2,
    ),
    Panel(
        name="data_source",
        title="Guesses of the data source",
        note="Share of training utterances that the data-source head gives to the right task's "
        "data; each task's batch counts half. 0.5 is chance, where the shared layers want it.",
        columns=r"train_data_source_accuracy",
        y_label="Accuracy",
        is_noisy=True,
        may_be_log=False,
    ),
    Panel(
        name="task_gradient_norms",
        title="Gradient norm of each task",
        note="Euclidean norm of the gradient of its weighted loss, over the parameters that both "
        "tasks reach. Bold: moving average.",
        columns=r"train_(.+)_gradient_norm",
        y_label="Gradient norm",
        is_noisy=True,
    ),
    Panel(
        name="task_gradient_cosine",
        title="Cosine between the tasks' gradients",
        note="Over the parameters that both tasks reach. Below 0 they conflict. Bold: moving "
        "average.",
        columns=r"task_gradient_cosine",
        y_label="Cosine",
        is_noisy=True,
        may_be_log=False,
    ),
)

MEMORY = Panel(
    name="memory",
    title="Memory",
    note="Held at each validation by the run and its workers; on the GPU, the most since the last.",
    columns=r"(?:(gpu)_)?memory_gb",
    whole="run",
    y_label="Memory (GB)",
    may_be_log=False,
)


def training_plots(curves: dict[str, Curve]) -> list[Plot]:
    """Return a plot for each panel that the run logged something for."""
    plots = []
    panels = PRETRAINING_PANELS if "train_ssl_loss" in curves else PANELS
    for panel in (*panels, MEMORY):
        found = panel.find(curves)
        if len(found) >= panel.min_curves:
            bad = sum(curve.num_non_finite for curve in found.values())
            warning = f" {bad:,} values that were not finite are left out." if bad else ""
            draw = partial(panel.draw, curves=found)
            plots.append(
                Plot(name=panel.name, title=panel.title, note=panel.note + warning, draw=draw)
            )
    return plots
