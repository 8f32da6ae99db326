"""Takes on the limits of a sandbox, inside it, and becomes the program that follows: a program by itself.

It is run as a copy of this file, beside one of `confinement.py`. Its first argument is a mapping of limits, by the
names of the module `resource`, to numbers.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module


def main() -> None:
    """Sets the limits, refuses sockets that are files, and runs the program with its arguments."""
    for name, value in json.loads(sys.argv[1]).items():
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        kept = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (kept, kept))
    import_module("confinement").refuse_sockets_of_files()
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
