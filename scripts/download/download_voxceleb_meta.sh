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

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/environment.sh
source scripts/download/fetch.sh

is_right() { # FILE EXPECTED: a checksum, or a number of speakers
  if [ ${#2} -eq 32 ]; then
    [ "$(md5sum <"$1" | cut -d' ' -f1)" = "$2" ]
  else
    [ "$(grep -c '^id' "$1")" = "$2" ]
  fi
}

mkdir -p "$data_folder/voxceleb_meta"
cd "$data_folder/voxceleb_meta"
while read -r expected file; do
  [ -n "$file" ] || continue
  if [ -f "$file" ] && is_right "$file" "$expected"; then
    echo "$file is there already" >&2
  else
    echo "$expected $file $url/$file"
  fi
done <<<"$checksums" | download_all
echo "all of VoxCeleb's tables and lists are in $PWD"
