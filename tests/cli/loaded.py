"""Runs commands in processes forked from one that has loaded the program, which takes a second.

`python -m tests.cli.loaded SOCKET` answers on a socket until its standard input ends. A request is
what a process is made of: arguments, folder, environment and streams; the answer is how it ended.
Commands share what was loaded, and nothing else: each is a process.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import NoReturn

__all__ = ["ask"]

_LENGTH = 8  # bytes that say how long a request is
_CODE = 4
_STREAMS = 3
#: What commands import where they need it, and is none of the program's own.
_MORE = ("alembic.command", "alembic.config", "jinja2.sandbox", "rich.console", "rich.table")


def ask(
    path: str,
    words: list[str],
    folder: str,
    environment: dict[str, str],
    streams: tuple[int, int, int] = (0, 1, 2),
) -> int:
    """The exit code of `crosswalk WORDS`, below zero for the signal that ended it."""
    told = json.dumps([words, folder, environment]).encode()
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(path)
        socket.send_fds(to, [len(told).to_bytes(_LENGTH, "big")], streams)
        to.sendall(told)
        answer = to.recv(_CODE, socket.MSG_WAITALL)
    return int.from_bytes(answer, "big", signed=True)


def _load() -> None:
    """Import all of the program."""
    from importlib import import_module
    from pkgutil import walk_packages

    import dsl
    import engine

    for package in (dsl, engine):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in module.name:
                import_module(module.name)
    for name in _MORE:
        import_module(name)


def _serve(path: str) -> None:
    """Answer requests until nobody is left to ask."""
    _load()
    gc.freeze()  # or each command would look through all that was loaded for what it can let go
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
        while sys.stdin not in select.select([listening, sys.stdin], (), ())[0]:
            asked, _ = listening.accept()
            if os.fork() == 0:
                _answer(asked)
            asked.close()


def _answer(asked: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(asked, _LENGTH, _STREAMS)
    told = asked.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
    command = os.fork()
    if command == 0:
        asked.close()
        _command(streams, *json.loads(told))
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    with suppress(BrokenPipeError):  # whoever asked has not waited
        asked.sendall(code.to_bytes(_CODE, "big", signed=True))
    os._exit(0)


def _command(
    streams: list[int], words: list[str], folder: str, environment: dict[str, str]
) -> NoReturn:
    """Be the command, and end without taking apart what was loaded, which would take longest."""
    from engine.cli.entry import main

    for at, stream in enumerate(streams):
        os.dup2(stream, at)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["crosswalk", *words]
    code: str | int | None = 1
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as Python itself would
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _serve(sys.argv[1])
