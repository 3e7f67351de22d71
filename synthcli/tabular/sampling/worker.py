"""Worker process: reads a task and block numbers from stdin, and writes blocks to stdout."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from synthcli.tabular.sampling.workers import generate_block


def serve() -> None:
    """Answer each block number with the generated block or the error, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles interrupts
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # keep what libraries print out of the answer stream
    task = pickle.load(requests)
    with ThreadPoolExecutor(1) as pool:
        while True:
            try:
                block = pickle.load(requests)
            except EOFError:
                return
            done = pool.submit(generate_block, task, block)
            error = done.exception()
            pickle.dump(done.result() if error is None else error, answers)
            answers.flush()


if __name__ == "__main__":
    serve()
