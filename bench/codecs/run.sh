#!/usr/bin/env bash
# npm run bench:codecs: installs the peer and exports the models when they are missing, then compares (run.mjs --help).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/.cache
say() { echo "bench:codecs: $*" >&2; }

for argument in "$@"; do
  if [ "$argument" = --help ]; then exec node "$here/run.mjs" --help; fi
done
if [ ! -f "$here/../../dist/index.js" ]; then
  say 'dist/index.js is missing: run "npm run build" first'
  exit 1
fi
if [ ! -d "$here/../peers/node_modules/onnxruntime-web" ]; then
  say 'installing onnxruntime-web'
  npm ci --prefix "$here/../peers" --no-progress
fi

names=()
for argument in "$@"; do
  [[ $argument = -* || $argument =~ ^[0-9]+$ ]] || names+=("$argument")
done
python=${PYTHON:-$cache/venv/bin/python}
if ! command -v "$python" >/dev/null; then
  say "installing what export.py needs into $cache/venv (PyTorch is about 200 MB)"
  python3 -m venv "$cache/venv"
  "$python" -m pip install --quiet --no-deps speechtokenizer==1.0.1 encodec==0.1.1 vocos==0.1.0
  "$python" -m pip install --quiet -r <(grep -hv -e speechtokenizer -e encodec== -e vocos== -e '^-r' "$here/requirements.txt" "$here/../../tests/vectors/requirements-full-codecs.txt")
fi
say 'exporting the models that are missing (a minute and a gigabyte each, in bench/codecs/.cache)'
"$python" "$here/export.py" "$cache" "${names[@]}"
exec node "$here/run.mjs" "$@"
