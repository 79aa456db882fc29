"""Audio: pure functions on bytes and waves.

`decode` reads WAV and FLAC, whole or in part; `ffmpeg` reads everything else; `load` turns any file
into the wave that the networks take: float32, mono, 16 kHz. Nothing here knows about data sets.
"""
