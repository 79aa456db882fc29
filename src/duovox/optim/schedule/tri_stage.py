"""Warm up, hold, decay: the usual schedule for fine-tuning wav2vec 2.0."""

from __future__ import annotations

from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from duovox.optim.schedule.curve import check_rate, check_share, follow, line, peak_lr


def tri_stage(
    optimizer: Optimizer,
    *,
    max_steps: int,
    warmup_ratio: float = 0.1,
    constant_ratio: float = 0.4,
    initial_lr: float = 5e-6,
    final_lr: float = 5e-6,
) -> LambdaLR:
    """Rise from `initial_lr` to the optimiser's rate, hold it, fall to `final_lr` in log space.

    The ends are absolute: with a rate below `initial_lr` the "warm-up" goes down.

    Args:
        warmup_ratio: share of max_steps that rises, linearly.
        constant_ratio: share of max_steps that holds; the rest decays.

    Source: Baevski et al. 2020, "wav2vec 2.0", section 4.3; shares of Park et al. 2019.
    """
    _check_shares(warmup_ratio, constant_ratio)
    check_rate("initial_lr", initial_lr)
    check_rate("final_lr", final_lr)
    warmup_end = max_steps * warmup_ratio
    hold_end = max_steps * (warmup_ratio + constant_ratio)
    curve = _curve(
        stage_ends=(warmup_end, hold_end, max_steps),
        rates=(initial_lr, peak_lr(optimizer), final_lr),
    )
    return follow(optimizer, curve)


def relative_tri_stage(
    optimizer: Optimizer,
    *,
    max_steps: int,
    warmup_ratio: float = 0.1,
    constant_ratio: float = 0.4,
    initial_lr_ratio: float = 0.01,
    final_lr_ratio: float = 0.05,
) -> LambdaLR:
    """Do as `tri_stage`, with both ends given as ratios to the optimiser's rate."""
    peak = peak_lr(optimizer)
    return tri_stage(
        optimizer,
        max_steps=max_steps,
        warmup_ratio=warmup_ratio,
        constant_ratio=constant_ratio,
        initial_lr=initial_lr_ratio * peak,
        final_lr=final_lr_ratio * peak,
    )


def linear_tri_stage(
    optimizer: Optimizer,
    *,
    max_steps: int,
    warmup_ratio: float = 0.1,
    constant_ratio: float = 0.4,
) -> LambdaLR:
    """Rise from 0 to the optimiser's rate, hold it, fall to 0, in straight lines.

    Args:
        warmup_ratio: share of max_steps that rises.
        constant_ratio: share of max_steps that holds; the rest falls.
    """
    _check_shares(warmup_ratio, constant_ratio)
    peak = peak_lr(optimizer)
    warmup_end = max_steps * warmup_ratio
    hold_end = max_steps * (warmup_ratio + constant_ratio)

    def lr_at(step: int) -> float:
        if step < warmup_end:
            return line(0.0, peak, step / warmup_end)
        if step <= hold_end:
            return peak
        if step >= max_steps:
            return 0.0
        return line(peak, 0.0, (step - hold_end) / (max_steps - hold_end))

    return follow(optimizer, lr_at)


def _check_shares(warmup_ratio: float, constant_ratio: float) -> None:
    check_share("warmup_ratio", warmup_ratio)
    check_share("constant_ratio", constant_ratio)
    check_share("warmup_ratio + constant_ratio", round(warmup_ratio + constant_ratio, 9))


def _curve(
    *, stage_ends: tuple[float, float, float], rates: tuple[float, float, float]
) -> Callable[[int], float]:
    warmup_end, hold_end, decay_end = stage_ends
    initial, peak, final = rates

    def lr_at(step: int) -> float:
        if step < warmup_end:
            return line(initial, peak, step / warmup_end)
        if step <= hold_end:
            return peak
        if step >= decay_end:
            return final
        share = (step - hold_end) / (decay_end - hold_end)
        return float(peak * (final / peak) ** share)

    return lr_at
