#!/bin/sh
# Writes constraints.txt: one release of every package for every Python and platform that pyproject.toml allows, with
# the hashes of all files of the release, and no address of an index. Then constraints-docs.txt, the same of what `make
# docs` needs besides, with the same releases where both have a package.
set -eu
cd "$(dirname "$0")/.."

python=$(sh tools/find_python.sh)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet uv
compile() {
    file=$1
    shift
    "$scratch/venv/bin/uv" pip compile --quiet --no-config --universal --python-version 3.11 --fork-strategy fewest \
        --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make constraints" "$@" --output-file "$scratch/$file" pyproject.toml
    mv "$scratch/$file" "$file"
}

compile constraints.txt --extra test --extra bench --extra fast --group dev
compile constraints-docs.txt --extra docs --constraints constraints.txt
