"""Stop pre-training whose codebooks have collapsed."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from duovox.run.ssl_settings import Collapse
from duovox.task.multitask import MultiTask

PERPLEXITY = "train_code_perplexity_"  # and the number of the codebook, in a point of the curves


class CollapseStop(Callback):
    """Watch how many entries of each codebook are in use.

    Where a quantiser chooses the same few entries whatever it hears, there is nothing left to be
    told apart, and the loss says nothing any more. A run does not come back from there.

    Args:
        num_entries: of each codebook.

    Raises:
        ValueError: a codebook has used less than its share of entries for too many points in a row.
    """

    def __init__(self, rule: Collapse, *, num_entries: int) -> None:
        self.rule = rule
        self.num_entries = num_entries
        self.num_points = 0  # below the limit, in a row

    def state_dict(self) -> dict[str, Any]:
        """Return the count so far."""
        return {"num_points": self.num_points}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.num_points = state_dict["num_points"]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look at a new point of the curves."""
        assert isinstance(pl_module, MultiTask)
        in_use = {
            name.removeprefix(PERPLEXITY): value
            for name, value in pl_module.point.items()
            if name.startswith(PERPLEXITY)
        }
        if not in_use:
            return
        codebook, fewest = min(in_use.items(), key=lambda item: item[1])
        is_low = fewest < self.rule.min_code_share * self.num_entries
        self.num_points = self.num_points + 1 if is_low else 0
        if trainer.strategy.broadcast(self.num_points > self.rule.patience):  # each sees its own
            raise ValueError(self._reason(codebook, fewest, trainer.global_step))

    def _reason(self, codebook: str, fewest: float, step: int) -> str:
        return (
            f"pre-training has collapsed by step {step}: codebook {codebook} uses {fewest:.1f} of "
            f"its {self.num_entries} entries (perplexity of its choices), and for "
            f"{self.num_points} points of the curves one of them has used less than "
            f"{self.rule.min_code_share:.1%} (callbacks.collapse.min_code_share, "
            "callbacks.collapse.patience). Start anew (resume=false) with a lower optim.algo.lr, "
            "larger batches (train.accumulation), a higher network.ssl_cfg.diversity_loss_weight "
            "or a slower fall of the Gumbel temperature"
        )
