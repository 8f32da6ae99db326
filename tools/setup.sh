#!/bin/sh
# Makes .venv ready: the packages of constraints.txt, checked against their hashes, and gradlab itself, editable.
#
# Two stamps in .venv say what it was made from. Where the packages' stamp is missing or differs (never made, stopped
# half-way, other constraints, the folder moved), its Python no longer runs or PYTHON asks for another one, .venv is made
# again. Where only pyproject.toml changed, gradlab alone is installed again.
set -eu
cd "$(dirname "$0")/.."

packages_stamp=.venv/packages.stamp
project_stamp=.venv/project.stamp
packages_wanted="$(cksum <constraints.txt) $(pwd -P)"
project_wanted="$(cksum <pyproject.toml)"

holds() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

identity() {
    "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null
}

is_ready() {
    holds $packages_stamp "$packages_wanted" && identity .venv/bin/python >/dev/null &&
        { [ -z "${PYTHON:-}" ] || [ "$(identity "$PYTHON")" = "$(identity .venv/bin/python)" ]; }
}

install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile "$@"
}

make_environment() {
    python=$(sh tools/find_python.sh)
    echo "setting up .venv with $("$python" --version) ($python)"
    rm -rf .venv
    "$python" -m venv .venv
    install --require-hashes -r constraints.txt
    echo "$packages_wanted" >$packages_stamp
}

# Every process of a run loads these. pip compiles nothing here, which takes minutes for all packages, and where
# PYTHONDONTWRITEBYTECODE is set each process would compile them again: 0.8 s for each of the two of a run.
compile_what_runs_load() {
    .venv/bin/python -m compileall -q gradlab implementations $(.venv/bin/python -c '
import click, flint, hypothesis, ml_dtypes, numpy, rich
print(*(one.__path__[0] for one in (click, flint, hypothesis, ml_dtypes, numpy, rich)))')
}

is_ready || make_environment
if ! holds $project_stamp "$project_wanted"; then
    rm -f $project_stamp
    install --no-build-isolation -e .
    compile_what_runs_load
    echo "$project_wanted" >$project_stamp
fi
