"""Many theorems, one after another or over processes: the same figures (bitwise from two processes on)."""

import multiprocessing
import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import wait

from funcgrad._checks import whole_number
from funcgrad.theorems.provenance import THREAD_VARIABLES
from funcgrad.theorems.runner import blank_verdict, find, verify


def verify_all(ids, problem=None, seed=0, budget="quick", jobs=1):
    """Yield the `Verdict` of each theorem as soon as it is there.

    Parameters
    ----------
    ids : sequence of str
    problem, seed, budget
        As for `verify`.
    jobs : int
        The number of processes. With more than one, each theorem is checked in a process with one BLAS
        thread, in the order in which processes become free. A process that dies is its theorem's failure.

    Examples
    --------
    >>> [verdict.status for verdict in verify_all(["no-l2-gradient"])]
    ['consistent']
    """
    ids = [find(id).id for id in ids]
    jobs = min(whole_number(jobs, "jobs", least=1), max(1, len(ids)))
    if jobs == 1:
        return (verify(id, problem, seed, budget) for id in ids)
    return _in_processes(ids, (problem, seed, budget), jobs)


def _in_processes(ids, arguments, jobs):
    waiting, busy = list(reversed(ids)), {}

    def give(connection, process):
        """Hand the next theorem to a worker, or end it."""
        connection.send(waiting[-1] if waiting else None)
        if waiting:
            busy[connection] = process, waiting.pop()
        else:
            process.join()

    try:
        for _ in range(jobs):
            give(*_worker(arguments))
        while busy:
            for connection in wait(list(busy)):
                process, id = busy.pop(connection)
                try:
                    verdict = connection.recv()
                except (EOFError, ConnectionError):  # it died before, or after, it had read its theorem
                    process.join()
                    message = f"the process that checked it ended with code {process.exitcode}"
                    verdict = replace(blank_verdict(find(id), *arguments[1:]), error=message)
                    if waiting:
                        give(*_worker(arguments))
                else:
                    give(connection, process)
                yield verdict
    finally:
        for process, _ in busy.values():
            process.terminate()
            process.join()


def _worker(arguments):
    """Start a process that checks the theorems whose ids it is sent; return the connection and the process.

    Not forked, so that it has none of this process's threads and reads the number of its own when it starts.
    """
    context = multiprocessing.get_context("spawn")
    connection, other = context.Pipe()
    process = context.Process(target=_serve, args=(other, *arguments), daemon=True)
    with _one_blas_thread(), _deaf_to_interrupts():
        process.start()
    other.close()
    return connection, process


def _serve(connection, problem, seed, budget):
    while (id := connection.recv()) is not None:
        connection.send(verify(id, problem, seed, budget))


@contextmanager
def _one_blas_thread():
    """Let processes that are started here use one BLAS thread: sums are then split in one way only."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _deaf_to_interrupts():
    """Let processes that are started here ignore Ctrl-C, which reaches all: the first one ends the others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
