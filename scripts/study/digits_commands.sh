#!/usr/bin/env bash
# The questions of the multi-task study, asked of digits and commands on two CPU cores: each task alone, how to weigh the
# losses, what to pool, how much to share. Give seeds and, after them, any overrides for all runs. A run that is done is
# not done again; read the study with `duovox report "$LOG_FOLDER/digits-commands-study"`.
#
#   scripts/study/digits_commands.sh 1 2 3
#   scripts/study/digits_commands.sh 1 trainer.num_threads=1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=.venv/bin/python

seeds=()
while [[ ${1:-} =~ ^[0-9]+$ ]]; do seeds+=("$1") && shift; done
if ((${#seeds[@]} == 0)); then
    echo "usage: $0 SEED [SEED ...] [OVERRIDE ...]" >&2
    exit 2
fi

# What all runs share, so that they differ in the question alone: the network and the sizes that the first seeds had.
# Speakers are scored by cosines alone.
words='decoder.words=[ZERO,ONE,TWO,THREE,FOUR,FIVE,SIX,SEVEN,EIGHT,NINE]'
shared=(project_name=digits-commands-study trainer.max_steps=1_200 trainer.val_check_interval=600
    network/architecture=tiny "${@}")
speech=(speech.dataloader.train_max_num_samples=80_000)
speaker=(speaker.dataloader.train_batch_size=16 speaker.scoring.as_norm_utterances=0 network.speaker_head_layer=-1)

alone() { # DOOR EXPERIMENT NAME OVERRIDE...
    "$python" "$1" -m +experiment="$2" experiment_name="$3" seed="$seed" "${@:4}" "${shared[@]}"
}
both() { # NAME OVERRIDE...
    "$python" run_mt_speech_speaker.py -m +experiment=digits_commands experiment_name="$1" seed="$seed" "${@:2}" \
        "${speech[@]}" "${speaker[@]}" "${shared[@]}"
}

for seed in "${seeds[@]}"; do
    alone run_speech.py digits speech-alone network.regularisation.hidden_dropout=0.1 "$words" "${speech[@]}"
    alone run_speaker.py commands speaker-alone "${speaker[@]}"
    both weighting-static optim.loss.static_speech_weight=0.5,0.88
    both weighting optim.loss.scale_method=null,min,dwa,uncertainty
    both pcgrad optim.loss.static_speech_weight=0.5 optim.loss.gradient_method=pcgrad
    both pooling optim.loss.static_speech_weight=0.5 network.stat_pooling_type=first+cls,mean+std
    both pooling-ctc optim.loss.static_speech_weight=0.5 network.enable_ctc_pool_speaker_embedding=true
    both branched optim.loss.static_speech_weight=0.5 network.use_multi_branch_encoder=true network.num_shared_transformers=1,2
done
