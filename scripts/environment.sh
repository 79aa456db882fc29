#!/usr/bin/env bash
# What scripts share, to be sourced in the repository's root: where data lies, and how duovox is called.
#
# data_folder is $DATA_FOLDER, from the environment or .env, else "data".
set -euo pipefail

duovox() { if [ -x .venv/bin/duovox ]; then .venv/bin/duovox "$@"; else poetry run duovox "$@"; fi; }

from_dotenv() { # NAME: its value in .env, without quotes and without a remark behind it
  [ -f .env ] || return 0
  sed -nE "s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//p" .env | tail -1 |
    sed -E -e "s/^'([^']*)'.*/\1/" -e t -e 's/^"([^"]*)".*/\1/' -e t \
      -e 's/[[:space:]]+#.*//' -e 's/[[:space:]]+$//'
}

data_folder=${DATA_FOLDER:-$(from_dotenv DATA_FOLDER)}
data_folder=${data_folder:-data}
