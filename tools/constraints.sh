#!/bin/sh
# Writes constraints.txt: one release of every package for every Python and platform that pyproject.toml allows, with
# the hashes of all files of the release, and no address of an index.
set -eu
cd "$(dirname "$0")/.."

python=$(sh tools/find_python.sh)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet uv
"$scratch/venv/bin/uv" pip compile --quiet --no-config --universal --python-version 3.11 --fork-strategy fewest \
    --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make constraints" \
    --extra test --extra bench --extra fast --group dev --output-file "$scratch/constraints.txt" pyproject.toml
mv "$scratch/constraints.txt" constraints.txt
