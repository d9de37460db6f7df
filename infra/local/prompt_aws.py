"""Removes waits of MiniStack 1.5 that AWS does not have, so that a run on the local AWS takes less time.

`install` changes MiniStack before it serves requests. No rule of AWS depends on these waits.
"""

import logging
import queue
import socketserver
import threading
import time

# How long the poller of event sources pauses after a wake-up that found no message, in seconds; MiniStack: 0.05.
EMPTY_POLL_PAUSE = 0.02
# The pause between two packages that are unpacked in advance, in seconds. A function that is called meanwhile waits
# for the same lock, and goes first.
UNPACKING_PAUSE = 0.02


def install():
    """Changes MiniStack before it serves requests. Fails if MiniStack's internals have changed."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    _send_events_at_once()
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = min(EMPTY_POLL_PAUSE, lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS)
    _unpack_in_advance(lambda_svc, provisioners)


def _send_events_at_once():
    """The Runtime API writes the head and the body of an event separately. With Nagle's algorithm, the body waits until
    the function's kernel acknowledges the head, which takes 40 ms on Linux: for every invocation of a warm function."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def _unpack_in_advance(lambda_svc, provisioners):
    """Unpacks the code of a function in the background when it is created, not when it is first called."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, packages = handler["create"], queue.SimpleQueue()
    unpack_package = lambda_svc._provided_runtime_code_dir

    def unpack_packages():
        while True:
            try:
                unpack_package(packages.get())
            except Exception:
                # The first call of the function reports it.
                logging.getLogger("lambda").exception("A package could not be unpacked in advance")
            time.sleep(UNPACKING_PAUSE)

    def create_function(logical_id, props, stack_name):
        made = create(logical_id, props, stack_name)
        function = lambda_svc._functions[made[0]]
        if function["config"]["Runtime"].startswith("provided") and function.get("code_zip"):
            packages.put(function["code_zip"])
        return made

    threading.Thread(target=unpack_packages, daemon=True).start()
    handler["create"] = create_function
