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
num_tries=${DOWNLOAD_TRIES:-20}
pause=${DOWNLOAD_PAUSE:-10} # seconds between two tries

from_dotenv() { [ ! -f .env ] || sed -n 's/^ *DATA_FOLDER *= *//p' .env | tail -1 | tr -d "\"'"; }

checksum_of() { # FILE LENGTH -> md5 or sha256, told apart by the length of the expected one
  if [ "$2" -eq 32 ]; then md5sum "$1"; else sha256sum "$1"; fi | cut -d' ' -f1
}

is_whole() { # FILE URL: the server has nothing behind what is here
  [ -s "$1" ] && [ "$(curl --silent --location --output /dev/null --write-out '%{http_code}' \
    --range "$(stat -c %s "$1")-" "$2")" = 416 ]
}

fetch() { # FILE: go on with FILE.part until the server says that it is whole
  local url=$librispeech_url/$1 try
  [ "$1" != librispeech_finetuning.tgz ] || url=$librilight_url/$1
  for try in $(seq "$num_tries"); do
    if curl --fail --location --continue-at - --connect-timeout 30 --speed-time 60 \
      --speed-limit 1000 --output "$1.part" "$url" || is_whole "$1.part" "$url"; then
      return 0
    fi
    echo "$1: try $try of $num_tries was cut off" >&2
    [ "$try" -eq "$num_tries" ] || sleep "$pause"
  done
  echo "error: $url cannot be fetched; what arrived is kept: give the same command again" >&2
  return 1
}

download() { # FILE CHECKSUM
  local round found
  if [ -f "$1" ]; then
    echo "$1 is there already"
    return 0
  fi
  for round in 1 2; do
    fetch "$1" || return 1
    found=$(checksum_of "$1.part" ${#2})
    if [ "$found" = "$2" ]; then
      mv "$1.part" "$1"
      echo "$1 is whole"
      return 0
    fi
    echo "$1: checksum $found instead of $2; it is deleted" >&2
    rm "$1.part"
  done
  echo "error: $1 arrived twice with a wrong checksum: try again later, or another mirror" >&2
  return 1
}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
data_folder=${DATA_FOLDER:-$(from_dotenv)}
folder=${data_folder:-data}/librispeech_archives
mkdir -p "$folder"
cd "$folder"

known=$(awk 'NF { sub(/[.].*/, "", $2); print $2 }' <<<"$checksums")
for name in "$@"; do
  if ! grep -qx -- "$name" <<<"$known"; then
    echo "error: there is no archive '$name'; there are:" $known >&2
    exit 2
  fi
done

[ $# -gt 0 ] || set -- $known
num_failed=0
for name in "$@"; do
  read -r checksum file < <(grep " $name[.]" <<<"$checksums")
  download "$file" "$checksum" || num_failed=$((num_failed + 1))
done
if [ "$num_failed" -gt 0 ]; then
  echo "error: $num_failed of $# archives are missing" >&2
  exit 1
fi
echo "$# archives in $folder"
