"""One worker as its supervisor sees it: a process, and the way to it."""

from __future__ import annotations

import os
import pickle
from socket import socketpair
from typing import TYPE_CHECKING, Any

from gradlab.isolation.child import Child
from gradlab.isolation.wire import FrameError, SupervisorEnd

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import Task


class WorkerProcess:
    """A process that does one task after another; it, and what it has started, end with `close`.

    child: the process.
    """

    def __init__(self, here: str) -> None:
        ours, theirs = socketpair()
        self.connection = SupervisorEnd(ours)
        setting = {"connection": theirs.fileno(), "parent": os.getpid(), "here": here}
        try:
            self.child = Child("gradlab.isolation.worker", here, setting, (theirs.fileno(),))
        finally:
            theirs.close()

    def give(self, task: Task) -> None:
        """Has the worker begin a task. One that has ended already does not: `status` tells."""
        self.connection.send(pickle.dumps(task))

    def received(self) -> tuple[str, Any] | None:
        """The next thing that the worker says, or None where there is nothing to read now, or never will be.

        Raises FrameError where something comes that is no frame.
        """
        content = self.connection.received()
        if content is None:
            return None
        try:
            said: tuple[str, Any] = pickle.loads(content)
        except Exception as error:  # whatever a spoilt pickle brings about
            raise FrameError(f"it cannot be read: {type(error).__name__}") from error
        return said

    def close(self) -> None:
        """Ends the process and all that it has started, and removes its folder."""
        self.child.close()
        self.connection.close()
