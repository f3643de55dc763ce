"""Runs commands one after the other, each in a fork of this process, which has loaded what they need: that takes longer than most of them.

Asked over a socket (`Loaded`): JSON with arguments, cwd and env, beside it the command's stdin, stdout and stderr. The answer is the
exit code.
"""

import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import traceback
from typing import Any

MESSAGE_MAX = 1 << 20
DEADLINE_S = 60.0  # for one command


class Loaded:
    """The asking side."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.settimeout(DEADLINE_S)
        with its:
            command = [sys.executable, __file__, str(its.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL, start_new_session=True)

    def run(self, files: list[int], **asked: Any) -> int:
        """Run a command with these as its stdin, stdout and stderr; its exit code, or minus the signal that ended it.

        Raises TimeoutError, and kills what took too long.
        """
        try:
            socket.send_fds(self._ours, [json.dumps(asked).encode()], files)
            return int(self._ours.recv(64))
        except TimeoutError:
            self.close()
            self._begin()
            raise

    def close(self) -> None:
        """With whatever it still runs."""
        self._ours.close()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def serve(asking: socket.socket) -> None:
    from trackrecord import cli

    for part in pkgutil.iter_modules(cli.__path__):
        importlib.import_module(f"trackrecord.cli.{part.name}")
    importlib.import_module("trackrecord.engines")
    while True:
        message, files, _, _ = socket.recv_fds(asking, MESSAGE_MAX, 3)
        if not message:
            return
        child = os.fork()
        if child == 0:
            _become(json.loads(message), files, cli.run)
        for each in files:
            os.close(each)
        _, status = os.waitpid(child, 0)
        asking.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(asked: dict[str, Any], files: list[int], run: Any) -> None:
    code = 1
    try:
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        code = run(asked["arguments"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as asking:
        serve(asking)
