"""Runs MiniStack with the rules of AWS that it lacks, without waits that AWS does not have, and ends it with the runner.

The runner holds the other end of standard input. When the runner ends for any reason, the pipe closes
and the whole process group, including the functions, is killed.
"""

import os
import signal
import threading


def end_with_the_runner():
    while os.read(0, 1024):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


threading.Thread(target=end_with_the_runner, daemon=True).start()

import prompt_aws  # noqa: E402 - start the watch first
import recursive_loops  # noqa: E402
import strict_aws  # noqa: E402
from ministack.app import main  # noqa: E402

recursive_loops.install()
strict_aws.install()
prompt_aws.install()
main()
