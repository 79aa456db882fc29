"""The subcommands that make data sets: `duovox prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from duovox.cli_prepare_librispeech import prepare_librispeech
from duovox.cli_prepare_listed import command_for, kaldi, lhotse, manifest
from duovox.cli_prepare_voxceleb import prepare_voxceleb
from duovox.cli_terminal import progress, report, say

prepare = typer.Typer(no_args_is_help=True, help="Turn a corpus into shards with an index.")
for find in (manifest, kaldi, lhotse):
    prepare.command(find.__name__)(command_for(find))
prepare.command("librispeech")(prepare_librispeech)
prepare.command("voxceleb")(prepare_voxceleb)


@prepare.command("demo")
def prepare_demo(
    out: Annotated[Path, typer.Option(help="Folder for audio, manifests and shards.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same corpus.")] = 0,
    utterances_per_voice: Annotated[int, typer.Option(min=4)] = 10,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make it anew.")] = False,
) -> None:
    """Synthesise a small corpus of many voices, for people who have no data yet."""
    from duovox.data.corpus.demo import DEMO_COMMAND, demo_command, make_demo
    from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary

    found = [DatasetSummary.load(path.parent) for path in out.glob(f"*/{DATASET_FILE}")]
    is_demo = all(summary.command.startswith(DEMO_COMMAND) for summary in found)
    if is_demo and len(found) == 3 and not overwrite:
        wanted = demo_command(seed=seed, utterances_per_voice=utterances_per_voice)
        if others := {summary.command for summary in found} - {wanted}:
            raise ValueError(
                f"{out} holds the corpus of `{others.pop()}`, not of `{wanted}`: --overwrite makes "
                "it anew, another --out keeps both"
            )
        say(f"{out} holds the demo corpus already; --overwrite makes it anew")
        return
    with progress(f"synthesising {out}", None) as advance:
        summaries = make_demo(
            out,
            seed=seed,
            utterances_per_voice=utterances_per_voice,
            overwrite=overwrite or is_demo,  # part of the corpus is no corpus
            on_utterance=advance,
        )
    for split, summary in summaries.items():
        report(summary, [], out / split)
