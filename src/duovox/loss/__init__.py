"""What training minimises: one loss per file, each a module over plain tensors.

A task's loss takes the network's outputs and the batch's targets and returns one float32 scalar.
How the losses of several tasks become one number is the business of `duovox.loss.weighting`.
"""
