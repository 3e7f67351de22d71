"""A process that generates blocks for another: it reads a task and numbers of blocks, and writes blocks."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from synthcli.tabular.sampling.workers import generate_block


def serve() -> None:
    """Answer each number of a block with the block, or with the error, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that waits for us
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
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
