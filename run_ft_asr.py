"""Fine-tune a backbone for speech recognition: see config/ft_asr.yaml."""

import hydra
from omegaconf import DictConfig

from duovox.run.door import at_the_door


@hydra.main(version_base="1.3", config_path="config", config_name="ft_asr")
def main(config: DictConfig) -> float | None:
    from duovox.run.train import run

    return run(config)


if __name__ == "__main__":
    with at_the_door(__file__, "ft_asr"):
        main()
