"""From Hydra's config to typed settings: the only place that reads a DictConfig."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from duovox.run.dialect import RESOLVERS, without_dialect
from duovox.run.read import read
from duovox.run.settings import Settings


def read_settings(config: DictConfig) -> tuple[Settings, dict[str, Any]]:
    """Return the settings, and the same resolved to plain data.

    Raises:
        ValueError: a setting is unknown, missing or of the wrong type, or points to nothing.
    """
    for name, function in RESOLVERS.items():
        OmegaConf.register_new_resolver(name, function, replace=True)
    try:
        plain = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise ValueError(f"a setting refers to something that is not there: {error}") from error
    assert isinstance(plain, dict)
    named = {str(key): value for key, value in plain.items() if key != "hydra"}
    tree = without_dialect(named)
    return read(Settings, tree), tree
