#!/usr/bin/env bash
# Prepare two small corpora of real speech: digits (what is said) and commands (who says it).
#
#   scripts/data/digits_commands/produce_shards.sh SOURCE_FOLDER [TARGET_FOLDER]
#
# SOURCE_FOLDER holds digits/{train,valid,test}.csv, commands/{train,valid,test}.csv with their audio,
# and commands/trials_{valid,test}.txt. Shards go to TARGET_FOLDER, which is $DATA_FOLDER/shards unless
# given (DATA_FOLDER comes from the environment or .env, else ./data): there +experiment=digits_commands
# looks. A data set that is finished already is only verified; remove its folder to make it anew.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: $0 SOURCE_FOLDER [TARGET_FOLDER]" >&2
  exit 2
fi
if [ ! -f "$1/digits/train.csv" ] || [ ! -f "$1/commands/train.csv" ]; then
  echo "$1 must hold digits/train.csv and commands/train.csv" >&2
  exit 1
fi
source_folder=$(cd "$1" && pwd)
target_folder=${2:+$(realpath -m "$2")}
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source scripts/environment.sh

target_folder=${target_folder:-$data_folder/shards}

for corpus in digits commands; do
  for split in train valid test; do
    out=$target_folder/$corpus/$split
    [ -f "$out/dataset.json" ] ||
      duovox prepare manifest "$source_folder/$corpus/$split.csv" --out "$out" --name "$split"
    duovox shards verify "$out"
  done
done

for split in valid test; do
  list=$source_folder/commands/trials_$split.txt
  duovox trials check "$list" --data "$target_folder/commands/$split" --train "$target_folder/commands/train"
  install -m 644 "$list" "$target_folder/commands/trials_$split.txt"
done
