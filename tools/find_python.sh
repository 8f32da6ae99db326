#!/bin/sh
# Prints the Python to use: $PYTHON if it is set, otherwise the first on the path that is 3.11 or newer and can make
# virtual environments. Prints a reason on stderr and exits with 1 where there is none.

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3 python3.13 python3.12 python3.11
fi
for candidate in "$@"; do
    if usable "$candidate"; then
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done

if [ -n "${PYTHON:-}" ]; then
    echo "PYTHON=$PYTHON must be Python 3.11 or newer, with the modules venv and ensurepip" >&2
else
    echo "gradlab needs Python 3.11 or newer, with the modules venv and ensurepip: none of python3, python3.13," \
        "python3.12 and python3.11 on the path is; name one with make PYTHON=/path/to/python3" >&2
fi
exit 1
