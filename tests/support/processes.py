"""Processes that tests start: none outlives its test, and none is waited for without end."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import psutil

SECONDS = 300
"""How long a command may take: many times what it takes on two cores."""


@contextmanager
def started(command, **how):
    """A process in a session of its own; in the end it is killed with all that it has started.

    :param how: of subprocess.Popen.
    """
    environment = {**(how.pop("env", None) or os.environ), "PYTHONFAULTHANDLER": "1"}
    process = subprocess.Popen(command, start_new_session=True, env=environment, **how)
    try:
        yield process
    finally:
        children = _end(process, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        process.wait()
        psutil.wait_procs(children, timeout=30)


def signal_session(process, by):
    """Send a signal to a process from :func:`started`, and to all that run in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, by)


def _end(process, by):
    """Send a signal also to children that have sessions of their own, as torchrun's have; these."""
    children = []
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    signal_session(process, by)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.send_signal(by)
    return children


def said(process, seconds=SECONDS):
    """Wait until the process has ended; what it wrote to standard output and error.

    :raises AssertionError: if it goes on longer; the message has what it wrote, and where each of its threads is.
    """
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process, signal.SIGABRT)  # Python tells where its threads are
        time.sleep(2)
        _end(process, signal.SIGKILL)
        told = process.communicate(timeout=30)
    raise AssertionError(f"{process.args} goes on after {seconds} s:\n{told[0]}\n{told[1]}")


def run(command, seconds=SECONDS, **how):
    """As subprocess.run, with what the command wrote as text.

    :raises AssertionError: as of :func:`said`.
    """
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how) as process:
        out, errors = said(process, seconds)
        return subprocess.CompletedProcess(command, process.returncode, out, errors)


def wait_for(condition, process, seconds=90, every=0.02):
    """Wait until the process has brought something about.

    :raises AssertionError: if it ends before, or takes longer.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, said(process, 1)
        assert time.monotonic() < end, f"{process.args} has not brought it about in {seconds} s"
        time.sleep(every)
