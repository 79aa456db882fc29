"""Train one network for one task or for several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from duovox.batch import JointBatch, NetworkOutput, TrainingBatch
from duovox.loss.gradient import GradientMethod
from duovox.loss.weighting import LearnedWeighting
from duovox.task import data_source
from duovox.task.data_source import DataSource
from duovox.task.evaluation import Evaluation
from duovox.task.loss_scale import loss_scale
from duovox.task.running_mean import RunningMean
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask
from duovox.task.ssl import SslTask
from duovox.task.summary import summarise
from duovox.task.task_gradients import TaskGradients

Task = SpeechTask | SpeakerTask | SslTask


class MultiTask(LightningModule):
    """Each step hears one batch per task, weighs their losses, and updates the shared network once.

    A joint batch has the labels of both tasks, and goes through the network once for both.

    The weighted losses are added up, or a gradient method makes one gradient of those of the tasks.
    A loss that is not finite drops its task from the step and leaves the others alone; gradients
    that are not finite drop the step, as does a step in which no loss is finite. Both are told
    (`dropped_tasks`, `is_step_dropped`) and counted (`bad_steps_in_a_row`). Where half
    precision scales the loss up, such gradients show that the scale is too large: they are neither.

    Args:
        network: what the tasks call.
        tasks: by name, "speech" and/or "speaker", or "ssl".
        weighting: losses by task name -> weights by task name.
        at_step: called with the number of finished steps before each batch, to freeze parts of the
            network and to set what else depends on the step.
        make_optimizer: parameters of this module -> Lightning's optimizer configuration.
        clip_norm: largest global gradient norm; 0 leaves gradients as they are.
        max_bad_steps: non-finite steps in a row that are put up with.
        log_every_n_steps: steps between two points of the training curves.
        seed: of dropout, masks and whatever else draws from torch's global generator in a step.
        gradient_method: what becomes of the tasks' gradients on shared parameters; None adds them.
        log_task_gradients: add their lengths and their cosine to the curves.
        data_source: makes a further term of the network's guesses whose data an utterance is from;
            no weighting and no gradient method touches it.

    Source: Vaessen & van Leeuwen 2023, "Towards multi-task learning of speech and speaker
    recognition", sections on disjoint and joint training.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        tasks: Mapping[str, Task],
        weighting: nn.Module,
        at_step: Callable[[int], None],
        make_optimizer: Callable[[nn.Module], Any],
        clip_norm: float,
        seed: int,
        max_bad_steps: int,
        log_every_n_steps: int,
        gradient_method: GradientMethod | None = None,
        log_task_gradients: bool = False,
        data_source: DataSource | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.tasks = dict(tasks)
        self.weighting = weighting
        self.at_step = at_step
        self.make_optimizer = make_optimizer
        self.clip_norm = clip_norm
        self.seed = seed
        self.max_bad_steps = max_bad_steps
        self.log_every_n_steps = log_every_n_steps
        self.gradient_method = gradient_method
        self.log_task_gradients = log_task_gradients
        self.data_source = data_source
        self.task_gradients = TaskGradients(self.tasks)
        self.validation: Sequence[Evaluation] = ()
        self.curves = RunningMean()
        self.point: dict[str, float] = {}  # of the curves, where the last batch made one
        self.dropped_tasks: dict[str, tuple[str, ...]] = {}  # of the last batch: task -> keys
        self.is_step_dropped = False  # by its gradients
        self.bad_steps_in_a_row = 0
        self._terms: dict[str, Tensor] = {}  # of the batch in hand: what the total is the sum of
        self._is_graph_shared = False  # by the terms
        self._is_step_heard = False  # a batch of the step in hand had a finite loss

    def training_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Return the weighted sum of the losses, or 0 when none of them is finite."""
        outputs, losses = self._hear(batch)
        losses = self._finite(losses, batch)
        adversary = losses.pop(data_source.NAME, None)
        if not losses:
            self._count_bad_step()
            return self._nothing()
        self._is_step_heard = True
        weights = self.weighting(losses)
        self._terms = {name: weights[name] * loss for name, loss in losses.items()}
        if isinstance(self.weighting, LearnedWeighting):
            self._terms["weighting"] = self.weighting.own_loss(losses)
        if adversary is not None and self.data_source is not None:
            self._terms[data_source.NAME] = self.data_source.weight * adversary
            self.curves.add({f"train_{data_source.NAME}_loss": adversary})
        self._is_graph_shared = adversary is not None or isinstance(batch, JointBatch)
        total = torch.stack([*self._terms.values()]).sum()
        self._note(total, losses, weights)
        self._glance(batch, outputs)
        return total

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Find the gradients: of the total, or of each task where a method or the curves ask.

        For the curves alone, the total's gradient is found as ever, so they change no weight.
        """
        terms, self._terms = self._terms, {}
        is_for_curves = self.gradient_method is None
        if terms and (not is_for_curves or self._are_gradients_logged()):
            self.task_gradients.add(
                terms,
                loss,
                parameters=[p for p in self.parameters() if p.requires_grad],
                keeps_graph=is_for_curves,
                is_graph_shared=self._is_graph_shared,
            )
        if is_for_curves or not terms:
            loss.backward(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._finish_task_gradients()

    def on_before_zero_grad(self, optimizer: Optimizer) -> None:
        """Begin a step without gradients."""
        self.task_gradients.clear()

    def on_train_batch_start(self, batch: TrainingBatch, batch_idx: int) -> None:
        """Make a batch's randomness a function of its number, so that a resumed run repeats it."""
        number = self.trainer.fit_loop.epoch_loop.batch_progress.total.ready
        sequence = np.random.SeedSequence((self.seed, number, self.global_rank))
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))
        self.at_step(self.global_step)
        self.is_step_dropped = False
        self.point = {}

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the network's gradients, or drop all when one of them is not finite."""
        is_heard, self._is_step_heard = self._is_step_heard, False
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        if not is_heard:  # zeros would let momentum and weight decay go on
            optimizer.zero_grad(set_to_none=True)
        if not (is_heard and gradients):
            return
        norm = nn.utils.get_total_norm(gradients)
        if not torch.isfinite(norm):
            if loss_scale(self.trainer) > 1:
                return  # it is too large: the scaler skips the step, and halves it
            self.is_step_dropped = True
            optimizer.zero_grad(set_to_none=True)
            self._count_bad_step()
            return
        self.bad_steps_in_a_row = 0
        self.curves.add({"gradient_norm": norm})
        if self.clip_norm > 0:
            nn.utils.clip_grads_with_norm_(self.network.parameters(), self.clip_norm, norm)

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        for evaluation in self.validation:
            evaluation.start()

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Hear one batch of one validation set."""
        self.validation[dataloader_idx].add(self.network, batch)

    def on_validation_epoch_end(self) -> None:
        """Score every validation set; `val_wer`, `val_eer` are means over the sets."""
        scores = summarise(self.validation)
        self.log_dict(scores, logger=False)
        self.log_curves(scores, step=self.global_step)
        for config in self.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau):
                config.scheduler.step(scores[str(config.monitor)])

    def configure_optimizers(self) -> Any:
        """Return the optimiser and its schedule."""
        return self.make_optimizer(self)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what lies between two points of the curves, so that a resumed run draws the same."""
        checkpoint["curves"] = self.curves.state_dict()
        checkpoint["bad_steps_in_a_row"] = self.bad_steps_in_a_row

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from there."""
        self.curves.load_state_dict(checkpoint["curves"])
        self.bad_steps_in_a_row = checkpoint["bad_steps_in_a_row"]

    def log_curves(self, values: Mapping[str, float], *, step: int) -> None:
        """Write values to every logger; `step` counts finished steps."""
        for logger in self.loggers:
            logger.log_metrics(dict(values), step=step)

    def _hear(self, batch: TrainingBatch) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return what the network makes of the batch for each task, and the losses."""
        outputs: dict[str, Any] = {}
        losses = {}
        both: NetworkOutput | None = None
        if isinstance(batch, JointBatch):
            both = self.network(batch.speech.waves, batch.speech.num_samples, task="both")
        for name, part in batch.by_task.items():
            task: Any = self.tasks[name]
            if both is not None:
                outputs[name], losses[name] = both, task.loss(both, part)
            else:
                outputs[name], losses[name] = task.forward(self.network, part)
        if self.data_source is not None:
            losses[data_source.NAME] = self.data_source.loss(outputs)
        return outputs, losses

    def _finite(self, losses: dict[str, Tensor], batch: TrainingBatch) -> dict[str, Tensor]:
        is_finite = torch.stack([torch.isfinite(loss.detach()) for loss in losses.values()])
        if torch.distributed.is_initialized():  # a task leaves the step on all ranks or on none
            flags = is_finite.int()
            torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MIN)
            is_finite = flags.bool()
        kept = dict(zip(losses, is_finite.tolist(), strict=True))
        self.dropped_tasks = {
            name: _keys(batch, name) for name, is_kept in kept.items() if not is_kept
        }
        return {name: loss for name, loss in losses.items() if kept[name]}

    def _nothing(self) -> Tensor:
        """Return 0, whose gradient of 0 reaches all parameters.

        Processes that train together wait for each other's gradients, so none may leave them out.
        """
        return 0 * torch.stack([p.sum() for p in self.parameters() if p.requires_grad]).sum()

    def _count_bad_step(self) -> None:
        self.bad_steps_in_a_row += 1
        if self.bad_steps_in_a_row > self.max_bad_steps:
            raise ValueError(
                f"{self.bad_steps_in_a_row} steps in a row had a loss or gradient that is not "
                f"finite (callbacks.max_bad_steps={self.max_bad_steps}). Lower optim.algo.lr, set "
                "trainer.gradient_clip_val, or train in trainer.precision=32. The utterances of "
                "such batches are named in bad_steps.jsonl."
            )

    def _note(self, total: Tensor, losses: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
        self.curves.add({"train_loss": total})
        self.curves.add({f"train_{name}_loss": loss for name, loss in losses.items()})
        self.curves.add({f"train_{name}_loss_weight": weights[name] for name in losses})

    def _are_gradients_logged(self) -> bool:
        is_point = (self.global_step + 1) % self.log_every_n_steps == 0
        return self.log_task_gradients and is_point

    def _finish_task_gradients(self) -> None:
        """Make one gradient of the tasks' when the last batch of a step has been heard."""
        if self.trainer.fit_loop._should_accumulate():
            return
        shared = self.task_gradients.shared()
        if shared is not None and self._are_gradients_logged():
            measured = shared.measure(loss_scale=loss_scale(self.trainer))
            self.log_curves(measured, step=self.global_step + 1)
        if self.gradient_method is not None:
            self.task_gradients.write(shared, self.gradient_method)
        self.task_gradients.clear()

    @torch.no_grad()
    def _glance(self, batch: TrainingBatch, outputs: dict[str, Any]) -> None:
        step = self.global_step + 1
        if step % self.log_every_n_steps or self.trainer.fit_loop._should_accumulate():
            return
        self.point = self.curves.flush()
        for name, part in batch.by_task.items():
            self.point |= self.tasks[name].glance(part, outputs[name])  # type: ignore[arg-type]
        if self.data_source is not None:
            self.point |= self.data_source.glance(outputs)
        self.point["learning_rate"] = self.optimizers().param_groups[0]["lr"]  # type: ignore[union-attr]
        self.log_curves(self.point, step=step)


def _keys(batch: TrainingBatch, name: str) -> tuple[str, ...]:
    """Return the keys of the utterances that a loss was made of: a task's, or all."""
    by_task = batch.by_task
    parts = [by_task[name]] if name in by_task else [*by_task.values()]
    return tuple(key for part in parts for key in part.keys)
