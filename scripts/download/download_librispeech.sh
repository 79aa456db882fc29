#!/usr/bin/env bash
# Download LibriSpeech and Libri-light's limited training sets, and check what arrived.
#
#   scripts/download/download_librispeech.sh [NAME...]
#
# NAME is a subset (dev-clean, train-clean-360, ...) or librispeech_finetuning; without any, all eight
# archives are fetched: 61 GB. They go to $DATA_FOLDER/librispeech_archives (DATA_FOLDER comes from
# the environment or .env, else ./data). A download that was cut off goes on where it stopped, now or
# when the command is given again; an archive with a wrong checksum is deleted and fetched anew once.
# LIBRISPEECH_URL and LIBRILIGHT_URL may name mirrors, as addresses of the folders.
set -euo pipefail

# Checksums: md5sum.txt beside the archives on openslr.org; for Libri-light the sha256 that
# torchaudio's LibriLightLimited expects.
checksums="
2a93770f6d5c6c964bc36631d331a522 train-clean-100.tar.gz
c0e676e450a7ff2f54aeade5171606fa train-clean-360.tar.gz
d1a0fd59409feb2c614ce4d30c387708 train-other-500.tar.gz
42e2234ba48799c1f50f24a7926300a1 dev-clean.tar.gz
c8d0bcc9cca99d4f8b62fcc847357931 dev-other.tar.gz
32fa31d27d2e1cad72775fee3f4849a9 test-clean.tar.gz
fb5a50374b501bb3bac4815ee91d3135 test-other.tar.gz
5d1efdc777b548194d7e09ba89126e2188026df9fd57aa57eb14408d2b2342af librispeech_finetuning.tgz
"
librispeech_url=${LIBRISPEECH_URL:-https://www.openslr.org/resources/12}
librilight_url=${LIBRILIGHT_URL:-https://dl.fbaipublicfiles.com/librilight/data}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/environment.sh
source scripts/download/fetch.sh

is_right() { # FILE EXPECTED: md5 or sha256, told apart by their lengths
  local found
  if [ ${#2} -eq 32 ]; then found=$(md5sum "$1"); else found=$(sha256sum "$1"); fi
  [ "${found%% *}" = "$2" ]
}

known=$(awk 'NF { sub(/[.].*/, "", $2); print $2 }' <<<"$checksums")
for name in "$@"; do
  if ! grep -qx -- "$name" <<<"$known"; then
    echo "error: there is no archive '$name'; there are:" $known >&2
    exit 2
  fi
done
[ $# -gt 0 ] || set -- $known

mkdir -p "$data_folder/librispeech_archives"
cd "$data_folder/librispeech_archives"
for name in "$@"; do
  read -r checksum file < <(grep " $name[.]" <<<"$checksums")
  url=$librispeech_url
  [ "$name" != librispeech_finetuning ] || url=$librilight_url
  if [ -f "$file" ]; then # it got this name when its checksum was right
    echo "$file is there already" >&2
  else
    echo "$checksum $file $url/$file"
  fi
done | download_all
echo "$# archives in $PWD"
