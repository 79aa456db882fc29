"""Checkpoint files of fairseq: pre-trained models, and those fine-tuned with CTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from duovox.network.wav2vec2.format import fairseq, names, torch_file
from duovox.network.wav2vec2.format.checkpoint import HEAD, Checkpoint, Quantization, collect
from duovox.network.wav2vec2.format.names import WEIGHT_NORM
from duovox.network.wav2vec2.format.vocabulary import LETTERS

_OLD_SPELLING = tuple((old, new) for new, old in WEIGHT_NORM)


def read(content: Mapping[str, Any], *, source: str) -> Checkpoint:
    """Read what a checkpoint file holds.

    A fine-tuned model's symbols stand in another file. Where they are as many as the published
    letters, they are taken for those.

    Args:
        source: the file, for messages.

    Raises:
        ValueError: tensors are missing or of another shape, or a setting is not supported.
    """
    flat = torch_file.plain(content.get("args"))
    cfg = torch_file.plain(content.get("cfg")) or {"model": flat, "task": flat}
    if not isinstance(cfg.get("model"), dict):
        raise ValueError(f"{source} has neither cfg nor args, so nothing tells the network's sizes")
    settings, task = fairseq.backbone_settings(cfg)
    try:
        architecture = fairseq.read_architecture(settings)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    tensors = _bare(torch_file.tensors(content["model"], source))
    quantization, size = None, None
    if {"quantizer.vars", "final_proj.weight"} <= tensors.keys():
        quantization = fairseq.read_quantization(settings)
    elif "proj.weight" in tensors:
        size = len(tensors["proj.weight"])
    state, left_out = collect(
        tensors,
        fairseq.table(architecture),
        source=source,
        architecture=architecture,
        quantization=quantization,
        vocabulary_size=size,
    )
    return Checkpoint(
        architecture=architecture,
        state=state,
        normalizes=bool(task.get("normalize", False)),
        quantization=quantization,
        vocabulary=LETTERS if size == len(LETTERS) else None,
        left_out=left_out,
    )


def write(checkpoint: Checkpoint, *, data: str) -> dict[str, Any]:
    """Return what a checkpoint file holds, for torch.save.

    Args:
        data: the folder in which fairseq looks for the dictionary of a fine-tuned model.

    Raises:
        ValueError: the checkpoint is a backbone alone, which no model of fairseq is.
    """
    if checkpoint.quantization is None and not checkpoint.has_head:
        raise ValueError(
            "fairseq loads no backbone without a CTC head or the parts of pre-training: use "
            "--to huggingface"
        )
    sizes = checkpoint.quantization or Quantization()
    model = fairseq.write_architecture(checkpoint.architecture)
    model |= fairseq.write_quantization(sizes)
    task = {"_name": "audio_pretraining", "data": data, "normalize": checkpoint.normalizes}
    cfg: dict[str, Any] = {"model": model, "task": task}
    if checkpoint.has_head:
        task = {**task, "_name": "audio_finetuning", "labels": "ltr"}
        head = {"_name": "wav2vec_ctc", "w2v_path": "", "w2v_args": cfg, "apply_mask": False}
        cfg = {"model": {**head, "normalize": checkpoint.normalizes, "data": data}, "task": task}
    history = {"criterion_name": "", "optimizer_name": "", "lr_scheduler_state": {}}
    return {
        "args": None,
        "cfg": cfg,
        "model": _names_inside(checkpoint),
        # fairseq wants to find these, though nothing was trained there
        "optimizer_history": [{**history, "num_updates": 0}],
        "extra_state": {"train_iterator": {"epoch": 1, "iterations_in_epoch": 0}},
    }


def dictionary(vocabulary: Sequence[str]) -> str:
    """Return the text of a `dict.ltr.txt`: a symbol and a count per line.

    fairseq puts four special symbols before those of the file, the first of which is CTC's blank.

    Raises:
        ValueError: the vocabulary does not begin with four such symbols.
    """
    if not all(symbol.startswith("<") for symbol in vocabulary[:4]):
        raise ValueError(
            "a dictionary of fairseq begins with four special symbols, so the vocabulary must "
            f"begin with <pad>, <s>, </s>, <unk> or the like, got {', '.join(vocabulary[:4])}: "
            "use --to huggingface"
        )
    return "".join(f"{symbol} 1\n" for symbol in vocabulary[4:])


def _names_inside(checkpoint: Checkpoint) -> dict[str, Tensor]:
    table = fairseq.table(checkpoint.architecture)
    prefix, head_prefix = fairseq.PREFIXES if checkpoint.has_head else ("", "")
    head = {key: tensor for key, tensor in checkpoint.state.items() if key.startswith(HEAD)}
    rest = {key: tensor for key, tensor in checkpoint.state.items() if key not in head}
    theirs = {f"{prefix}{name}": t for name, t in names.to_theirs(rest, table).items()}
    return theirs | {f"{head_prefix}{name}": t for name, t in names.to_theirs(head, table).items()}


def _bare(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    bare = names.respell(tensors, _OLD_SPELLING)
    for prefix in fairseq.PREFIXES:
        bare = {name.removeprefix(prefix): tensor for name, tensor in bare.items()}
    return bare
