"""The submissions of a class: all are read before the first one runs, so that none can change another."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from gradlab.evaluation.text import one_line
from gradlab.lessons.table import STUB
from gradlab.storage.files import shorten

MAX_FILES, MAX_BYTES = 200, 10 << 20  # of one submission
SKIPPED = ("__pycache__", "__MACOSX")


class SubmissionError(Exception):
    """Why a submission is none: one line, for people."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    name: of the file or folder. files: what is in it, by path. main: the path of the one with the function. fault: why
    there is no such file, or "".
    """

    name: str
    files: dict[PurePath, bytes] = field(default_factory=dict)
    main: str = STUB
    fault: str = ""

    def write(self, folder: Path) -> None:
        """Writes its files into an empty folder. Raises OSError."""
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)


def submissions_in(folder: Path) -> list[Submission]:
    """What is handed in in a folder, by name: each Python file, and each folder, is one submission.

    Links are not followed: they lead to somebody else's work. Raises SubmissionError where there is none.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise SubmissionError(f"{shorten(folder)} cannot be read: {error.strerror}") from None
    found = [_read(Path(entry.path)) for entry in entries if _is_submission(entry)]
    if not found:
        raise SubmissionError(f"{shorten(folder)} has no submission: a Python file or a folder for each student")
    return found


def _is_submission(entry: os.DirEntry[str]) -> bool:
    is_folder = entry.is_dir() and entry.name not in SKIPPED
    return not entry.name.startswith(".") and (is_folder or entry.name.endswith(".py"))


def _read(path: Path) -> Submission:
    name = one_line(os.fsencode(path.name).decode("utf-8", "backslashreplace"))
    try:
        if path.is_symlink():
            raise SubmissionError("it is a link, and must be a file or a folder")
        if not path.is_dir():
            return Submission(name, {PurePath(STUB): _content(path)})
        files = dict(_files(path))
        return Submission(name, files, _main(files))
    except SubmissionError as error:
        return Submission(name, fault=str(error))
    except OSError as error:
        return Submission(name, fault=one_line(f"it cannot be read: {error.strerror or error}"))


def _files(folder: Path) -> Iterator[tuple[PurePath, bytes]]:
    """The regular files of a folder, by their path in it. Raises SubmissionError where they are too many."""
    n_files = n_bytes = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in SKIPPED and not one.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not stat.S_ISREG(path.lstat().st_mode):
                continue
            n_files, n_bytes = n_files + 1, n_bytes + path.lstat().st_size
            if n_files > MAX_FILES or n_bytes > MAX_BYTES:
                raise SubmissionError(f"it must have at most {MAX_FILES} files and {MAX_BYTES >> 20} MiB")
            yield PurePath(path.relative_to(folder)), _content(path)


def _content(path: Path) -> bytes:
    """What is in a file. Raises SubmissionError for what is no file, or is too large."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise SubmissionError("it is no file")
    if path.lstat().st_size > MAX_BYTES:
        raise SubmissionError(f"it must have at most {MAX_BYTES >> 20} MiB")
    return path.read_bytes()


def _main(files: dict[PurePath, bytes]) -> str:
    """The file with the function: the one called as the stub that is least deep, or the only Python file."""
    named = sorted((path for path in files if path.name == STUB), key=lambda path: (len(path.parts), path))
    python = [path for path in files if path.suffix == ".py"]
    if named:
        return str(named[0])
    if len(python) != 1:
        raise SubmissionError(f"it must have {STUB}, or one Python file, has {len(python)} Python files")
    return str(python[0])
