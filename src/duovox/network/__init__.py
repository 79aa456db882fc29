"""From waves to frames, token logits, embeddings and speaker logits.

`wav2vec2` turns waves into frames, `branch` says which part of them each task gets, `pooling` turns
the frames of an utterance into one embedding, `head` turns frames or embeddings into logits, and
`assemble` puts the parts together.
"""
