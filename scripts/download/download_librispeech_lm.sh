#!/usr/bin/env bash
# Download LibriSpeech's language models and word list, and check what arrived.
#
#   scripts/download/download_librispeech_lm.sh [NAME...]
#
# NAME is a file of openslr.org/11 (3-gram.pruned.1e-7.arpa.gz, ...); without any, what
# config/decoder/default.yaml reads is fetched: 4-gram.arpa.gz and librispeech-vocab.txt, 1.4 GB. They
# go to $DATA_FOLDER/librispeech_lm (DATA_FOLDER comes from the environment or .env, else ./data) and
# are used as they are, packed. A download that was cut off goes on where it stopped.
# LIBRISPEECH_LM_URL may name a mirror, as the address of its folder.
set -euo pipefail

# Checksums: of the official files, as the recipes that verify them agree on.
checksums="
6abdcd5b055bd482e4f9defe91d40408 4-gram.arpa.gz
74cbb837e582378c26c602e1c8cbcb9c 3-gram.arpa.gz
9a0f1325bcaf3a0f7b7be4be10823c2a 3-gram.pruned.1e-7.arpa.gz
8f67ec741827742eee05799ab7605b50 3-gram.pruned.3e-7.arpa.gz
c83c64c726a1aedfe65f80aa311de402 librispeech-lm-norm.txt.gz
bf3cc7a50112831ed8b0afa40cae96a5 librispeech-vocab.txt
"
url=${LIBRISPEECH_LM_URL:-https://www.openslr.org/resources/11}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/environment.sh
source scripts/download/fetch.sh

is_right() { # FILE MD5
  [ "$(md5sum <"$1" | cut -d' ' -f1)" = "$2" ]
}

md5_of() { # FILE
  awk -v file="$1" '$2 == file { print $1 }' <<<"$checksums"
}

[ $# -gt 0 ] || set -- 4-gram.arpa.gz librispeech-vocab.txt
for file in "$@"; do
  if [ -z "$(md5_of "$file")" ]; then
    echo "error: there is no file '$file'; there are:" $(awk '{ print $2 }' <<<"$checksums") >&2
    exit 2
  fi
done

mkdir -p "$data_folder/librispeech_lm"
cd "$data_folder/librispeech_lm"
for file in "$@"; do
  if [ -f "$file" ]; then # it got this name when its checksum was right
    echo "$file is there already" >&2
  else
    echo "$(md5_of "$file") $file $url/$file"
  fi
done | download_all
echo "$# files in $PWD"
