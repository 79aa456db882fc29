"""Each task's own gradient, kept apart over the batches of a step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from duovox.loss.gradient import GradientMethod
from duovox.loss.processes import average_over_processes, num_processes

Gradients = dict[nn.Parameter, Tensor]  # of those parameters that a loss reaches


@dataclass(frozen=True, kw_only=True)
class SharedGradients:
    """The tasks' gradients on the parameters that several of them reach."""

    tasks: tuple[str, ...]
    parameters: tuple[nn.Parameter, ...]  # of P numbers in all
    gradients: Tensor  # (tasks, P)

    def measure(self, *, loss_scale: float) -> dict[str, float]:
        """Return the length of each task's gradient, and the cosine between two.

        Args:
            loss_scale: what the losses were multiplied with before the backward pass.
        """
        lengths = self.gradients.norm(dim=1)
        values = {
            f"train_{task}_gradient_norm": length / loss_scale
            for task, length in zip(self.tasks, lengths.tolist(), strict=True)
        }
        if len(self.tasks) == 2 and bool((lengths > 0).all()):
            one, other = self.gradients / lengths[:, None]
            values["task_gradient_cosine"] = one.dot(other).item()
        return values


class TaskGradients:
    """Add up each task's gradients until the step has heard all its batches.

    Shared parameters are those that the losses of several tasks reach within the step. There a
    gradient method decides; any other parameter gets its own task's gradient as it is, and a term
    that belongs to no task adds its own everywhere. Gradients are found past `.grad`, which
    distributed training does not see, so the sums are averaged over the processes here.

    Holds one copy of the parameters for each task, and during `write` two more.

    Args:
        tasks: the names of the terms between whose gradients a method decides.
    """

    def __init__(self, tasks: Collection[str]) -> None:
        self.tasks = tuple(tasks)
        self._by_task: dict[str, Gradients] = {}  # and of terms beside the tasks

    def clear(self) -> None:
        """Begin a new step."""
        self._by_task = {}

    def add(
        self,
        terms: Mapping[str, Tensor],
        loss: Tensor,
        *,
        parameters: Sequence[nn.Parameter],
        keeps_graph: bool,
        is_graph_shared: bool = False,
    ) -> None:
        """Add the gradients of a batch.

        Args:
            terms: each task's weighted loss, and what else is minimised.
            loss: a function of all terms, which is to be minimised.
            parameters: whose gradients are wanted.
            keeps_graph: for another backward pass.
            is_graph_shared: by the terms; else each has its own, which is let go at once.
        """
        slopes = torch.autograd.grad(loss, [*terms.values()], retain_graph=keeps_graph)
        last = [*terms][-1]
        for (task, term), slope in zip(terms.items(), slopes, strict=True):
            is_kept = keeps_graph or (is_graph_shared and task != last)
            found = torch.autograd.grad(
                term, parameters, slope, retain_graph=is_kept, allow_unused=True
            )
            sums = self._by_task.setdefault(task, {})
            for parameter, gradient in zip(parameters, found, strict=True):
                if gradient is not None:
                    known = sums.get(parameter)
                    sums[parameter] = gradient if known is None else known + gradient

    def shared(self) -> SharedGradients | None:
        """Return what the tasks share in this step; None where fewer than two were heard."""
        by_task = {task: sums for task, sums in self._by_task.items() if task in self.tasks}
        counts = Counter(parameter for sums in by_task.values() for parameter in sums)
        parameters = [parameter for parameter, number in counts.items() if number > 1]
        if not parameters:
            return None
        by_task = {task: sums for task, sums in by_task.items() if parameters[0] in sums}
        num_values = sum(parameter.numel() for parameter in parameters)
        gradients = parameters[0].new_empty(len(by_task), num_values)
        for row, sums in zip(gradients, by_task.values(), strict=True):
            torch.cat([sums[parameter].flatten() for parameter in parameters], out=row)
        average_over_processes(gradients)
        return SharedGradients(
            tasks=tuple(by_task), parameters=tuple(parameters), gradients=gradients
        )

    def write(self, shared: SharedGradients | None, method: GradientMethod) -> None:
        """Give each parameter that a loss has reached its gradient."""
        combined: Gradients = {}
        if shared is not None:
            combined = _split(method(shared.gradients), shared.parameters)
        own = self._beside(combined)
        if own and num_processes() > 1:
            flat = torch.cat([gradient.flatten() for gradient in own.values()])
            own = _split(average_over_processes(flat), tuple(own))
        for parameter, gradient in (combined | own).items():
            both = parameter in own and parameter in combined
            parameter.grad = gradient + combined[parameter] if both else gradient

    def _beside(self, combined: Collection[nn.Parameter]) -> Gradients:
        """Add up the gradients that no method has combined."""
        own: Gradients = {}
        for name, sums in self._by_task.items():
            for parameter, gradient in sums.items():
                if name not in self.tasks or parameter not in combined:
                    known = own.get(parameter)
                    own[parameter] = gradient if known is None else known + gradient
        return own


def _split(flat: Tensor, parameters: Sequence[nn.Parameter]) -> Gradients:
    """Cut a flat gradient (P,) into those of the parameters, in their order."""
    parts = torch.split(flat, [parameter.numel() for parameter in parameters])
    return {p: part.view_as(p) for p, part in zip(parameters, parts, strict=True)}
