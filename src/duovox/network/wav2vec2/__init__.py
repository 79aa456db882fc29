"""wav2vec 2.0 in plain PyTorch: waves in, one vector per 20 ms out.

    waves -> feature encoder (7 convolutions, hop 320) -> norm, projection -> masked spans
          -> positional convolution -> transformer -> frames

Source: Baevski et al. 2020, "wav2vec 2.0: A framework for self-supervised learning of speech
representations". Frames are (B, T, D) everywhere: the channels lie next to each other in memory.
"""
