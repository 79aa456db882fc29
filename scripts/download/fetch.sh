#!/usr/bin/env bash
# Download files and check them: sourced by the scripts beside it, which define is_right FILE EXPECTED.
#
# A download that was cut off goes on where it stopped, DOWNLOAD_TRIES times, DOWNLOAD_PAUSE seconds
# apart, and again when the command is given again.
set -euo pipefail

num_tries=${DOWNLOAD_TRIES:-20}
pause=${DOWNLOAD_PAUSE:-10}

is_whole() { # FILE URL: the server has nothing behind what is here
  [ -s "$1" ] && [ "$(curl --silent --location --output /dev/null --write-out '%{http_code}' \
    --range "$(stat -c %s "$1")-" "$2")" = 416 ]
}

fetch() { # FILE URL: go on with FILE.part until the server says that it is whole
  local try status
  for try in $(seq "$num_tries"); do
    if status=$(curl --fail --location --continue-at - --connect-timeout 30 --speed-time 60 \
      --speed-limit 1000 --output "$1.part" --write-out '%{http_code}' "$2") ||
      is_whole "$1.part" "$2"; then
      return 0
    fi
    case $status in
    401 | 403 | 404 | 410)
      echo "error: $2 is not there, or not for everyone (HTTP status $status)" >&2
      return 1
      ;;
    esac
    echo "$1: try $try of $num_tries was cut off" >&2
    [ "$try" -eq "$num_tries" ] || sleep "$pause"
  done
  echo "error: $2 cannot be fetched; what arrived is kept: give the same command again" >&2
  return 1
}

download() { # FILE EXPECTED URL
  local round
  for round in 1 2; do
    fetch "$1" "$3" || return 1
    if is_right "$1.part" "$2"; then
      mv "$1.part" "$1"
      echo "$1 is whole"
      return 0
    fi
    echo "$1: it is not the official file; it is deleted" >&2
    rm "$1.part"
  done
  echo "error: $1 was not the official file twice: try again later, or another mirror" >&2
  return 1
}

download_all() { # "EXPECTED FILE URL" in each line: fetch what can be had, and count the failures
  local num_files=0 num_failed=0 expected file url
  while read -r expected file url; do
    num_files=$((num_files + 1))
    download "$file" "$expected" "$url" </dev/null || num_failed=$((num_failed + 1))
  done
  [ "$num_failed" -eq 0 ] && return
  echo "error: $num_failed of $num_files files are missing in $PWD" >&2
  return 1
}
