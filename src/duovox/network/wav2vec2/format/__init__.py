"""Weights in and out of every format.

Each format has its names as a table of pairs, ours and theirs, and its settings as another. What
is read becomes a `Checkpoint`: the weights in our names, the architecture, the symbols of a
CTC head. Tensors are renamed, joined and cut apart, and never computed with, so the way through any
number of formats and back changes no bit.

    own            run folders, and what `duovox convert --to duovox` writes
    huggingface    folders of transformers, which `huggingface_folder` reads and writes
    fairseq        checkpoints with `model` and `cfg`, which `fairseq_file` reads and writes
    nano           checkpoints with `network`, which it reads

`duovox.network.wav2vec2.pretrained` finds out which of them a source has.
"""
