#!/usr/bin/env bash
# Residual codecs at their published sizes, seeded weights: PyTorch makes checkpoints and references, this library is compared with
# them. Needs Python 3.11 and about 4 GB of memory; everything is kept under ~/.cache/wavtok-reference. Arguments: names (all).
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${WAVTOK_REFERENCE_CACHE:-$HOME/.cache/wavtok-reference}"
python="${PYTHON:-$cache/codecs-venv/bin/python}"
mkdir -p "$cache"
if ! command -v "$python" >/dev/null; then
  echo "installing PyTorch (CPU) and the codecs' packages into $cache/codecs-venv"
  python3 -m venv "$cache/codecs-venv"
  "$python" -m pip install --quiet torch==2.13.0
  "$python" -m pip install --quiet --no-deps speechtokenizer==1.0.1 encodec==0.1.1 vocos==0.1.0
  grep -v -e speechtokenizer -e encodec== -e vocos== tests/vectors/requirements-full-codecs.txt | "$python" -m pip install --quiet -r /dev/stdin
fi
OMP_NUM_THREADS=1 "$python" tests/vectors/full_codecs.py "$cache/codecs" "$@"
exec node --import tsx tests/parity-codecs.ts "$cache/codecs" "$@"
