"""The folder of a lesson: a page with the task, and a file to fill in."""

from __future__ import annotations

import shlex
from pathlib import Path

from gradlab.lessons.page import page_of
from gradlab.lessons.table import STUB, Lesson
from gradlab.storage.files import OutputError, shorten, write_whole, writing

PAGE, README = "task.html", "README.md"


def write_lesson(lesson: Lesson, folder: Path) -> list[Path]:
    """Writes a lesson into a folder, which is made; the files that are there now.

    A file that is there already is somebody's work: raises OutputError before anything is written.
    """
    text = task_of(lesson, folder)
    texts = {README: text, PAGE: page_of(text, f"gradlab lesson: {lesson.name}"), STUB: lesson.stub}
    for path in (folder / name for name in texts):
        if path.exists() or path.is_symlink():
            raise OutputError(f"{shorten(path)} is there already, and is left as it is; give another FOLDER")
    with writing():
        folder.mkdir(parents=True, exist_ok=True)
        for name, one in texts.items():
            write_whole(folder / name, one)
    return [folder / name for name in texts]


def task_of(lesson: Lesson, folder: Path) -> str:
    """The text of the task, and how the answer is checked, as Markdown."""
    lines = (f"    {command}" for command in commands(lesson.name, folder))
    return f"{lesson.page.rstrip()}\n\n## Check it\n\n" + "\n".join(lines) + "\n"


def commands(name: str, folder: Path) -> tuple[str, ...]:
    """The commands that say whether it is right, and more and more of what is wrong."""
    place = "" if folder == Path(name) else f" {shlex.quote(str(folder))}"
    judge = f"gradlab lesson {name}{place} --check"
    return judge, f"{judge} --hints 1", f"{judge} --hints 2"
