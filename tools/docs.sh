#!/bin/sh
# Builds the pages of docs/, CONTRIBUTING.md and the rest as a site, with Sphinx; a warning is an error. The packages of
# constraints-docs.txt are installed first, where they are not; nothing is fetched while the pages are built.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/docs.stamp
wanted=$(cat constraints.txt constraints-docs.txt | cksum)
if [ ! -f $stamp ] || [ "$(cat $stamp)" != "$wanted" ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
        --require-hashes -r constraints-docs.txt
    echo "$wanted" >$stamp
fi
.venv/bin/python -m sphinx --quiet --fail-on-warning --keep-going --jobs 2 -b html -c docs . docs/_build/html
echo "docs/_build/html/docs/index.html"
