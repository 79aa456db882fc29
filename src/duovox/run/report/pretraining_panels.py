"""What the curves of pre-training show: whether it learns, and whether its codebooks stay alive."""

from __future__ import annotations

from duovox.run.report.panel import Panel

PRETRAINING_PANELS = (
    Panel(
        name="losses",
        title="Training losses",
        note="Per masked frame. The contrast begins at ln 101 = 4.6 with 100 negatives; the total "
        "is the contrast and the two penalties, times their weights.",
        columns=r"train_(?:(contrastive|diversity|feature_penalty)|loss)",
        y_label="Loss (nats per masked frame)",
        is_noisy=True,
    ),
    Panel(
        name="accuracy",
        title="Contrastive accuracy",
        note="Share of masked frames whose target is more similar than each of its negatives: of "
        "one training batch, and of each validation set, where the dot marks the best.",
        columns=r"(?:val_accuracy_(.+)|train_accuracy)",
        y_label="Accuracy (%)",
        is_percent=True,
        is_higher_better=True,
        whole="training",
    ),
    Panel(
        name="perplexity",
        title="Codebook entries in use",
        note="Perplexity of each codebook in a training batch: of the choices made (code) and of "
        "the probabilities before noise (prob). Near 1 the codebook has collapsed.",
        columns=r"train_((?:code|prob)_perplexity_\d+)",
        y_label="Entries",
        is_noisy=True,
        may_be_log=False,
    ),
    Panel(
        name="similarity",
        title="Codebook similarity",
        note="Cosine between two entries of a codebook: mean and largest over all pairs.",
        columns=r"codebook_similarity_((?:avg|max)_\d+)",
        y_label="Cosine",
        may_be_log=False,
    ),
    Panel(
        name="gradient_norm",
        title="Gradient norm",
        note="Euclidean norm over all parameters, before clipping. Faint: as logged. Bold: moving "
        "average. The band is what published recipes call healthy once learning is under way.",
        columns=r"gradient_norm",
        y_label="Gradient norm",
        is_noisy=True,
        healthy=(0.5, 2.0),
    ),
    Panel(
        name="temperature",
        title="Gumbel temperature",
        note="How soft the gradient of the quantiser's choice is, by step.",
        columns=r"gumbel_temperature",
        y_label="Temperature",
        may_be_log=False,
    ),
    Panel(
        name="learning_rate",
        title="Learning rate",
        note="As set by the schedule, after each optimiser step.",
        columns=r"learning_rate",
        y_label="Learning rate",
        may_be_log=False,
    ),
    Panel(
        name="share_masked",
        title="Share masked",
        note="Masked frames over all frames of a training batch.",
        columns=r"share_masked",
        y_label="Share",
        may_be_log=False,
    ),
    Panel(
        name="audio_hours",
        title="Audio heard",
        note="Hours of true audio over all processes, repetitions included.",
        columns=r"audio_hours",
        y_label="Hours",
        may_be_log=False,
    ),
)
