"""`python -m tools.lab [NAME...]` writes generated files of the lab's site again, all of them without names."""

from __future__ import annotations

import sys

from tools.lab.generated import GENERATED, SITE

for name in sys.argv[1:] or GENERATED:
    make = GENERATED[name]
    (SITE / name).write_text(make(), encoding="utf-8")
    print(f"wrote {SITE.name}/{name}")
