"""Learning-rate schedules: one file each, one function `name(optimizer, *, max_steps, ...)`.

Every function returns a torch scheduler that is stepped once per optimiser step (only
`reduce_on_plateau` is stepped once per validation, with the monitored number). `max_steps` is the
length of the run in optimiser steps; a schedule that does not depend on it accepts it all the same.

Learning rates in parameters are absolute and belong to the optimiser's own `lr`. A parameter group
with another rate (a head that learns faster) keeps its ratio to that `lr` all along.

A new schedule is one file here, one YAML beside the others, and one line in the tests.
"""
