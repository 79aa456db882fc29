"""The devices that this machine has, held against those that are asked for."""

from __future__ import annotations

import torch


def device_of(name: str) -> torch.device:
    """Return the device of a name such as cpu or cuda:1.

    Raises:
        ValueError: torch finds no such device here; those it finds are listed.
    """
    found = ["cpu"]
    if num_gpus := torch.cuda.device_count():
        found += ["cuda", *(f"cuda:{number}" for number in range(num_gpus))]
    if torch.backends.mps.is_available():
        found.append("mps")
    if name not in found:
        raise ValueError(f"device must be one of those here ({', '.join(found)}), got {name!r}")
    return torch.device(name)


def check_gpus(wanted: int) -> None:
    """Refuse a run that asks for more GPUs than torch finds here.

    Raises:
        ValueError: there are fewer.
    """
    num_gpus = torch.cuda.device_count()
    if wanted > num_gpus:
        raise ValueError(
            f"gpus must be at most {num_gpus}, the CUDA devices that torch finds here, got "
            f"{wanted}. Set gpus=0 to train on the CPU (NUM_GPUS in .env is its default), or look "
            "at nvidia-smi and CUDA_VISIBLE_DEVICES"
        )
