#!/usr/bin/env bash
# npm run bench:peers: installs the peers and exports the models when they are missing, then compares (run.mjs --help).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/.cache
vectors=$here/../../tests/vectors
say() { echo "bench:peers: $*" >&2; }

for argument in "$@"; do
  if [ "$argument" = --help ]; then exec node "$here/run.mjs" --help; fi
done

if [ ! -f "$here/../../dist/index.js" ]; then
  say 'dist/index.js is missing: run "npm run build" first'
  exit 1
fi

if [ ! -d "$here/node_modules/onnxruntime-web" ]; then
  say 'installing onnxruntime-web'
  npm ci --prefix "$here" --no-progress
fi

exported_after() { [ "$cache/models.json" -nt "$1" ]; }
mini=$here/../../weights/mini-24k-75.safetensors
if exported_after "$here/export_onnx.py" && exported_after "$vectors/seeded_model.py" \
  && [ "$cache/mini.json" -nt "$mini" ] && [ "$cache/mini.json" -nt "$here/export_mini.py" ]; then
  exec node "$here/run.mjs" "$@"
fi

# The current Python serves if it has everything; otherwise a virtual environment that sees its packages is filled up.
python=${PYTHON:-python3}
modules='import einops, numpy, onnx, onnxruntime, safetensors, scipy, soundfile, torch, yaml'
if ! command -v "$python" >/dev/null; then
  say "$python is missing: exporting the models needs Python 3.11 or newer (set PYTHON to another binary)"
  exit 1
fi
if ! "$python" -c "$modules" 2>/dev/null; then
  python=$cache/venv/bin/python
  if ! "$python" -c "$modules" 2>/dev/null; then
    say "installing what export_onnx.py needs into $cache/venv (requirements.txt; PyTorch is about 200 MB)"
    "${PYTHON:-python3}" -m venv --system-site-packages "$cache/venv"
    "$python" -m pip install --quiet -r "$here/requirements.txt"
  fi
fi
say 'exporting the models (half a minute, 700 MB in bench/peers/.cache)'
"$python" "$here/export_onnx.py"
"$python" "$here/export_mini.py"
exec node "$here/run.mjs" "$@"
