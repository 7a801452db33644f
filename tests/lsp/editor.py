"""A small editor: starts the language server as a process and speaks the protocol with it."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tests.cli.program import environment, program

_LONGEST = 20.0


class Refused(Exception):
    """The server answered with an error; the message is what an editor would show."""


class Editor:
    """One editor with one folder open. Positions are pairs of line and column, from 0."""

    def __init__(self, folder: Path | None, *words: str, **capabilities: Any) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [program(), *words, "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=folder,
        )
        self.messages: list[str] = []
        self.requested: list[str] = []
        self.findings: dict[str, list[dict[str, Any]]] = {}
        self.texts: dict[str, str] = {}
        self._inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._last = 0
        self._versions: dict[str, int] = {}
        root = folder.as_uri() if folder else None
        answer = self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": root,
                "capabilities": capabilities,
                "workspaceFolders": [{"uri": root, "name": "work"}] if root else None,
            },
        )
        self.capabilities: dict[str, Any] = answer["capabilities"]
        self.tell("initialized", {})

    # -- messages -------------------------------------------------------------------------------

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.removeprefix(b"Content-Length: "))
            while out.readline().strip():
                pass
            self._inbox.put(json.loads(out.read(length)))
        self._inbox.put(None)

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        pipe = self.process.stdin
        assert pipe is not None
        pipe.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        pipe.flush()

    def tell(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """The answer to a request; what comes in before it is taken note of."""
        self._last += 1
        number = self._last
        self._write({"id": number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise Refused(message["error"]["message"])
                return message.get("result")
            self._note(message)

    def wait(self) -> None:
        """Takes note of the next thing that the server says."""
        self._note(self._next())

    def _next(self) -> dict[str, Any]:
        try:
            message = self._inbox.get(timeout=_LONGEST)
        except queue.Empty:
            raise AssertionError(f"nothing more comes; so far there is {self.findings}") from None
        if message is None:
            raise AssertionError(f"the server is gone: {self.process.stderr.read().decode()}")
        return message

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params") or {}
        match message.get("method"):
            case "textDocument/publishDiagnostics":
                self.findings[params["uri"]] = params["diagnostics"]
            case "window/showMessage":
                self.messages.append(params["message"])
            case method if "id" in message:
                self.requested.append(str(method))
                self._write({"id": message["id"], "result": None})

    # -- files ----------------------------------------------------------------------------------

    def uri(self, name: str) -> str:
        assert self.folder is not None
        return (self.folder / name).as_uri()

    def open(self, uri: str, text: str) -> None:
        self.texts[uri] = text
        self._versions[uri] = 1
        document = {"uri": uri, "languageId": "sync", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def edit(self, uri: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Types over a range; the server is told of the range alone."""
        where = {"start": _position(start), "end": _position(end)}
        self._change(uri, {"range": where, "text": text})

    def replace(self, uri: str, text: str) -> None:
        self.texts[uri] = text
        self._change(uri, {"text": text})

    def _change(self, uri: str, change: dict[str, Any]) -> None:
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def close(self, uri: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    def at(self, method: str, uri: str, place: tuple[int, int], **more: Any) -> Any:
        params = {"textDocument": {"uri": uri}, "position": _position(place), **more}
        return self.ask(f"textDocument/{method}", params)

    def of(self, method: str, uri: str, **more: Any) -> Any:
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": uri}, **more})

    # -- findings -------------------------------------------------------------------------------

    def wait_for(self, uri: str, *codes: str) -> list[dict[str, Any]]:
        """The errors of a file, as soon as they have these codes and no other."""
        while sorted(d["code"] for d in self.errors(uri)) != sorted(codes):
            self.wait()
        return self.errors(uri)

    def errors(self, uri: str) -> list[dict[str, Any]]:
        return [found for found in self.findings.get(uri, []) if found["severity"] == 1]

    def wait_for_message(self) -> str:
        while not self.messages:
            self.wait()
        return self.messages[-1]

    # -- leaving --------------------------------------------------------------------------------

    def leave(self) -> int:
        """Leaves as the protocol wants it; the server's exit code."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.process.wait(_LONGEST)

    def vanish(self) -> int:
        """Closes the pipe without a word; the server's exit code."""
        pipe = self.process.stdin
        assert pipe is not None
        pipe.close()
        return self.process.wait(_LONGEST)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        # The server itself may outlive the process that was started, until it hears nobody;
        # what it still says has a reader until then.
        self._close(self.process.stdin)
        self._reader.join(_LONGEST)
        self._close(self.process.stdout)
        self._close(self.process.stderr)

    @staticmethod
    def _close(pipe: IO[bytes] | None) -> None:
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _position(place: tuple[int, int]) -> dict[str, int]:
    return {"line": place[0], "character": place[1]}


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after some edits, in an editor that counts in UTF-16."""
    for edit in sorted(edits, key=_start, reverse=True):
        start, end = (_offset(text, edit["range"][which]) for which in ("start", "end"))
        text = text[:start] + edit["newText"] + text[end:]
    return text


def _start(edit: dict[str, Any]) -> tuple[int, int]:
    first = edit["range"]["start"]
    return first["line"], first["character"]


def _offset(text: str, position: dict[str, int]) -> int:
    lines = text.split("\n")
    before = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]]
    return sum(len(line) + 1 for line in lines[: position["line"]]) + len(
        before.decode("utf-16-le")
    )


def marked(text: str) -> tuple[str, tuple[int, int]]:
    """A text without its `|`, and where that stood, counted in UTF-16."""
    before, _, after = text.partition("|")
    line = before.count("\n")
    column = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
    return before + after, (line, column)
