#!/usr/bin/env bash
# What scripts share, to be sourced in the repository's root: where data lies, and how duovox is called.
#
# data_folder is $DATA_FOLDER, from the environment or .env, else "data".
set -euo pipefail

duovox() { if [ -x .venv/bin/duovox ]; then .venv/bin/duovox "$@"; else poetry run duovox "$@"; fi; }

from_dotenv() { # NAME: its value in .env, as runs read it: no quotes, no remark, ${OTHER} filled in
  [ -f .env ] || return 0
  local text done="" whole name default value
  text=$(raw_from_dotenv "$1")
  while [[ $text =~ \$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\} ]]; do
    whole=${BASH_REMATCH[0]} name=${BASH_REMATCH[1]} default=${BASH_REMATCH[3]}
    value=${!name-}
    if [ -z "$value" ] && [ "$name" != "$1" ]; then value=$(from_dotenv "$name"); fi
    done+=${text%%"$whole"*}${value:-$default}
    text=${text#*"$whole"}
  done
  printf '%s' "$done$text"
}

raw_from_dotenv() {
  sed -nE "s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//p" .env | tail -1 |
    sed -E -e "s/^'([^']*)'.*/\1/" -e t -e 's/^"([^"]*)".*/\1/' -e t \
      -e 's/[[:space:]]+#.*//' -e 's/[[:space:]]+$//'
}

data_folder=${DATA_FOLDER:-$(from_dotenv DATA_FOLDER)}
data_folder=${data_folder:-data}
