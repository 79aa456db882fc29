#!/usr/bin/env bash
# From a fresh clone to a trained and scored multi-task model, on the CPU, in minutes.
#
# Installs what is missing, makes a small corpus of synthetic voices, trains one network on what is
# said and who says it, and ends with WER, EER and the path of a report. Takes up where it stopped.
# DATA_FOLDER and LOG_FOLDER (from the environment or .env) choose where corpus and run are written.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE # compiling torch anew at every start costs 8 s

from_dotenv() { .venv/bin/python -c "import dotenv, sys; print(dotenv.dotenv_values('.env').get(sys.argv[1]) or '')" "$1"; }

./scripts/setup_dependencies.sh
DATA_FOLDER=${DATA_FOLDER:-$(from_dotenv DATA_FOLDER)}
export DATA_FOLDER=${DATA_FOLDER:-data}

.venv/bin/duovox prepare demo --out "$DATA_FOLDER/demo"
.venv/bin/python run_mt_speech_speaker.py +experiment=demo
echo "quickstart: finished in $SECONDS s"
