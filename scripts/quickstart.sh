#!/usr/bin/env bash
# From a fresh clone to a trained and scored multi-task model, on the CPU, in minutes.
#
# Installs what is missing, makes a small corpus of synthetic voices, trains one network on what is
# said and who says it, and ends with WER, EER and the path of a report. Takes up where it stopped.
# DATA_FOLDER and LOG_FOLDER (from the environment or .env) choose where corpus and run are written.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE # compiling torch anew at every start costs 8 s

./scripts/setup_dependencies.sh
source scripts/environment.sh
export DATA_FOLDER="$data_folder"

duovox prepare demo --out "$data_folder/demo"
.venv/bin/python run_mt_speech_speaker.py +experiment=demo
echo "quickstart: finished in $SECONDS s"
