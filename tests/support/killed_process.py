"""Commands in forked processes that are ended where they change files: :class:`Runner`, and the process that forks.

In that process a line of JSON on standard input is a run, a line of output how it ended. It runs nothing itself: a
process with threads could not fork.
"""

import faulthandler
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
LOADED = ("generator.cli", "trainer.loop.launch", "trainer.loop.study", "trainer.inference.export")
LOADED += ("evaluation.report.page", "handforge.dataset.importers.commands", "handforge.dataset.exporters")
"""What the commands load by themselves, once for all of them."""
SECONDS = 300
"""How long a command may take: many times what it takes on two cores."""
CHANGES = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir")
"""Python's audit events by which files change; of opened ones those opened for writing."""


class Runner:
    """Runs commands, each in a process and session of its own."""

    def __init__(self) -> None:
        support = str(ROOT / "tests/support")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), support)), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __call__(self, words, folder, at=0, by=signal.SIGKILL, largest=0) -> tuple[int, int, str]:
        """Run a command in ``folder``: its exit code (negative: the signal), its changes of files, and what it said.

        :param at: the change of a file in ``folder`` before which it gets the signal ``by``; 0: it runs undisturbed.
        :param largest: bytes of a file at which it is killed in the midst of writing; 0: none.
        """
        run = {"words": [str(word) for word in words], "folder": str(folder), "at": at, "by": by, "largest": largest}
        print(json.dumps(run), file=self._process.stdin, flush=True)
        code, changes, said, group = json.loads(self._process.stdout.readline())
        end = time.monotonic() + 30
        while left := [each for each in psutil.pids() if each != group and _group(each) == group]:
            assert time.monotonic() < end, f"processes {left} of {words} go on"
            time.sleep(0.05)
        return code, changes, said

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _group(process):
    try:
        return os.getsid(process)
    except ProcessLookupError:
        return None


def child(run, count):
    """Run one command."""
    os.setsid()
    faulthandler.dump_traceback_later(SECONDS, exit=True)  # a command that hangs says where
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it would be ignored
    os.chdir(run["folder"])
    changes = 0

    def watch(event, arguments):
        nonlocal changes
        if event not in CHANGES or not isinstance(arguments[0], str | os.PathLike):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        if not Path(arguments[0]).absolute().is_relative_to(run["folder"]):
            return
        changes += 1
        count.seek(0)
        count.write(f"{changes}".encode())
        count.flush()
        if changes == run["at"]:
            os.kill(os.getpid(), run["by"])

    sys.addaudithook(watch)
    if run["largest"]:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (run["largest"], resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from handforge.cli import main

    main(run["words"])


def serve():
    """Fork for every line."""
    import importlib
    import tempfile

    for name in LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        run = json.loads(line)
        said, saying = os.pipe()  # a file would have the limit, too
        with tempfile.TemporaryFile() as count:
            process = os.fork()
            if not process:
                os.dup2(saying, 1)
                os.dup2(saying, 2)
                code = 99
                try:
                    child(run, count)
                except SystemExit as end:
                    code = int(end.code or 0)
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(code)
            os.close(saying)
            signal.signal(signal.SIGALRM, lambda *_, group=process: os.killpg(group, signal.SIGKILL))
            signal.alarm(SECONDS + 10)  # what it has started may hold the pipe
            with os.fdopen(said, errors="replace") as pipe:
                text = pipe.read()
            signal.alarm(0)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            count.seek(0)
            print(json.dumps([code, int(count.read() or 0), text, process]), flush=True)


if __name__ == "__main__":
    serve()
