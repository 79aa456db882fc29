#!/usr/bin/env bash
# Download VoxCeleb's speaker tables and trial lists, and check what arrived: 75 MB.
#
#   scripts/download/download_voxceleb_meta.sh
#
# They go to $DATA_FOLDER/voxceleb_meta (DATA_FOLDER comes from the environment or .env, else ./data).
# What is there already and whole is kept; a download that was cut off goes on where it stopped.
# VOXCELEB_META_URL may name a mirror, as the address of its folder. The audio has no such script: it
# is given to those who ask for it (docs/voxceleb.md).
set -euo pipefail

# Checksums: of the official files, as the recipes that verify them agree on. Of vox2_meta.csv none is
# published; its 6,114 speakers are counted instead.
checksums="
29fc7cc1c5d59f0816dc15d6e8be60f7 veri_test.txt
b73110731c9223c1461fe49cb48dddfc veri_test2.txt
b9ecf7aa49d4b656aa927a8092844e4a list_test_all.txt
a53e059deb562ffcfc092bf5d90d9f3a list_test_all2.txt
21c341b6b2168eea2634df0fb4b8fff1 list_test_hard.txt
857790e09d579a68eb2e339a090343c8 list_test_hard2.txt
f5067cae5157ca27904c4b0a926e2661 vox1_meta.csv
6114 vox2_meta.csv
"
url=${VOXCELEB_META_URL:-https://www.robots.ox.ac.uk/~vgg/data/voxceleb/meta}
num_tries=${DOWNLOAD_TRIES:-10}
pause=${DOWNLOAD_PAUSE:-5} # seconds between two tries

from_dotenv() { [ ! -f .env ] || sed -n 's/^ *DATA_FOLDER *= *//p' .env | tail -1 | tr -d "\"'"; }

is_right() { # FILE EXPECTED: a checksum, or a number of speakers
  if [ ${#2} -eq 32 ]; then
    [ "$(md5sum <"$1" | cut -d' ' -f1)" = "$2" ]
  else
    [ "$(grep -c '^id' "$1")" = "$2" ]
  fi
}

download() { # FILE EXPECTED
  local try
  if [ -f "$1" ] && is_right "$1" "$2"; then
    echo "$1 is there already"
    return 0
  fi
  for try in $(seq "$num_tries"); do
    if curl --fail --silent --show-error --location --continue-at - --connect-timeout 30 \
      --speed-time 60 --speed-limit 100 --output "$1.part" "$url/$1"; then
      if is_right "$1.part" "$2"; then
        mv "$1.part" "$1"
        echo "$1 is whole"
        return 0
      fi
      echo "$1: try $try of $num_tries: it is not the official file; it is deleted" >&2
      rm "$1.part"
    else
      echo "$1: try $try of $num_tries was cut off" >&2
    fi
    [ "$try" -eq "$num_tries" ] || sleep "$pause"
  done
  echo "error: $url/$1 cannot be fetched: try again later, or a mirror (VOXCELEB_META_URL)" >&2
  return 1
}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
data_folder=${DATA_FOLDER:-$(from_dotenv)}
folder=${data_folder:-data}/voxceleb_meta
mkdir -p "$folder"
cd "$folder"

num_failed=0
while read -r expected file; do
  [ -z "$file" ] || download "$file" "$expected" || num_failed=$((num_failed + 1))
done <<<"$checksums"
if [ "$num_failed" -gt 0 ]; then
  echo "error: $num_failed files are missing in $folder" >&2
  exit 1
fi
echo "all of VoxCeleb's tables and lists are in $folder"
