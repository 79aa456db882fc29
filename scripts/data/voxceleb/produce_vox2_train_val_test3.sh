#!/usr/bin/env bash
# Turn VoxCeleb's official archives into verified shards, where data=voxceleb2 looks for them.
#
#   scripts/data/voxceleb/produce_vox2_train_val_test3.sh [OPTION...]
#
# Training and validation come from VoxCeleb2's dev speakers; the tests are VoxCeleb1's cleaned lists
# O, E and H. $DATA_FOLDER/voxceleb_archives holds the zip archives, or their parts (..._partaa), of
# vox1_dev_wav, vox1_test_wav and vox2_dev_aac (or _wav); $DATA_FOLDER/voxceleb_meta is filled by
# scripts/download/download_voxceleb_meta.sh. OPTION is handed to `duovox prepare voxceleb`, such as
# --split different or --part 3/8; WORKERS=16 sets the number of processes. A command that was killed
# goes on when it is given again; after the parts, it is given once without --part.
#
# CORPUS=voxceleb1 trains on VoxCeleb1's dev speakers instead, for data=voxceleb1; its one test is O.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source scripts/environment.sh

meta=$data_folder/voxceleb_meta
corpus=${CORPUS:-voxceleb2}

case $corpus in
voxceleb2) sets="test_o test_e test_h" lists="veri_test2 list_test_all2 list_test_hard2" ;;
voxceleb1) sets="test_o" lists="veri_test2" ;;
*) echo "error: CORPUS must be voxceleb1 or voxceleb2, got '$corpus'" >&2 && exit 2 ;;
esac

trials=()
for list in $lists; do
  if [ ! -f "$meta/$list.txt" ]; then
    echo "error: $meta/$list.txt is missing: scripts/download/download_voxceleb_meta.sh" >&2
    exit 1
  fi
  trials+=(--trials "$meta/$list.txt")
done

out=$data_folder/${corpus}_shards
duovox prepare voxceleb "$data_folder/voxceleb_archives" --out "$out" --meta "$meta" \
  "${trials[@]}" --train "$corpus" --workers "${WORKERS:-0}" "$@"

case " $* " in
*" --part"*) exit 0 ;; # there is nothing whole to verify yet
esac
for set in train val $sets; do
  duovox shards verify "$out/$set" --workers "${WORKERS:-0}"
done
