"""Pre-train a backbone on speech alone: see config/ssl.yaml."""

import hydra
from omegaconf import DictConfig

from duovox.run.door import at_the_door


@hydra.main(version_base="1.3", config_path="config", config_name="ssl")
def main(config: DictConfig) -> float | None:
    from duovox.run.train import run

    return run(config)


if __name__ == "__main__":
    with at_the_door(__file__, "ssl"):
        main()
