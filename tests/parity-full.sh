#!/usr/bin/env bash
# WavTokenizer at its published size, seeded weights: PyTorch makes checkpoints and references, this library is compared with them.
# Needs Python 3.11 and about 4 GB of memory; everything is kept under ~/.cache/wavtok-reference. Options go to the comparison.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${WAVTOK_REFERENCE_CACHE:-$HOME/.cache/wavtok-reference}"
python="$cache/venv/bin/python"
mkdir -p "$cache"
if [ ! -x "$python" ]; then
  echo "installing PyTorch (CPU) and the reference's needs into $cache/venv"
  python3 -m venv "$cache/venv"
  "$python" -m pip install --quiet torch==2.13.0
  "$python" -m pip install --quiet -r tests/vectors/requirements.txt
fi
OMP_NUM_THREADS=1 "$python" tests/vectors/full_parity.py "$cache/full"
exec node --import tsx tests/parity-full.ts "$cache/full" "$@"
