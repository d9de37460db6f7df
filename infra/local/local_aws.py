"""Runs MiniStack with Lambda's recursive-loop detection, and ends with whoever started it.

The runner holds the other end of standard input. When it goes away, however it goes away, the pipe
closes and the whole process group, functions included, is killed.
"""

import os
import signal
import threading


def end_with_the_runner():
    while os.read(0, 1024):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


threading.Thread(target=end_with_the_runner, daemon=True).start()

import recursive_loops  # noqa: E402 - the watch comes first
from ministack.app import main  # noqa: E402

recursive_loops.install()
main()
