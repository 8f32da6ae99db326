from pathlib import Path

KEPT = Path(".gradlab") / "exhaustive"  # where a sweep is kept as it grows, unless another folder is given
CERTIFICATES = Path("docs") / "exhaustive"  # where finished certificates are looked for
