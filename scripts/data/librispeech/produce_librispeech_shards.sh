#!/usr/bin/env bash
# Turn LibriSpeech's official archives into verified shards, where data=librispeech looks for them.
#
#   scripts/data/librispeech/produce_librispeech_shards.sh [NAME...]
#
# NAME is a subset (dev-clean, ...) or librispeech_finetuning; without any, all archives are taken that
# scripts/download/download_librispeech.sh put into $DATA_FOLDER/librispeech_archives. Shards go to
# $DATA_FOLDER/librispeech_shards, a folder per subset; 5 % of each training subset, in whole chapters,
# go to <subset>-val. What is finished already is only verified; a command that was killed goes on.
# On a cluster, give each job one NAME. FORMAT=wav and WORKERS=8 are handed to `duovox`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source scripts/environment.sh

archives=$data_folder/librispeech_archives
shards=$data_folder/librispeech_shards

sets_of() { # the data sets that an archive becomes
  case $1 in
  train-*) echo "$1 $1-val" ;;
  librispeech_finetuning) echo "librilight-10m librilight-50m librilight-9h" ;;
  *) echo "$1" ;;
  esac
}

speakers_table() { # Libri-light's archive has no tables: take them from any other
  local archive
  [ -f "$archives/SPEAKERS.TXT" ] && return 0
  for archive in "$archives"/*-*.tar.gz; do
    [ -f "$archive" ] || continue
    tar --extract --gzip --to-stdout --occurrence=1 --file "$archive" LibriSpeech/SPEAKERS.TXT \
      >"$archives/SPEAKERS.TXT.part" && mv "$archives/SPEAKERS.TXT.part" "$archives/SPEAKERS.TXT"
    return
  done
}

if [ $# -eq 0 ]; then
  for archive in "$archives"/*-*.tar.gz "$archives"/librispeech_finetuning.tgz; do
    name=$(basename "$archive")
    [ ! -f "$archive" ] || set -- "$@" "${name%%.*}"
  done
fi
if [ $# -eq 0 ]; then
  echo "$archives holds no archives: scripts/download/download_librispeech.sh fetches them" >&2
  exit 1
fi

for name in "$@"; do
  archive=$archives/$name.tar.gz
  options=(--format "${FORMAT:-flac}" --workers "${WORKERS:-0}")
  if [ "$name" = librispeech_finetuning ]; then
    archive=$archives/$name.tgz
    speakers_table
    [ ! -f "$archives/SPEAKERS.TXT" ] || options+=(--metadata "$archives")
  fi
  for set in $(sets_of "$name"); do
    if [ ! -f "$shards/$set/dataset.json" ]; then
      duovox prepare librispeech "$archive" --out "$shards" "${options[@]}"
      break
    fi
  done
  for set in $(sets_of "$name"); do
    duovox shards verify "$shards/$set" --workers "${WORKERS:-0}"
  done
done
