"""Watches a Python process: with this folder on PYTHONPATH, Python imports it at its start.

The network is closed. What is opened, connected to or unpickled goes to the file that the
environment variable AUDIT names, one JSON list a line: process, event, its arguments as text.
"""

from __future__ import annotations

import json
import os
import sys

# urllib3, which spaCy imports, binds a socket to ::1 to see whether the machine has IPv6: it may.
_NETWORK = ("socket.connect", "socket.get", "socket.send")
_WATCHED = (*_NETWORK, "open", "pickle.", "os.system", "os.exec", "subprocess.Popen")

_log = os.open(os.environ["AUDIT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    by_number = event == "open" and isinstance(arguments[0], int)  # a pipe that is open already
    if event.startswith(_WATCHED) and not by_number:
        row = [os.getpid(), event, *map(str, arguments)]
        os.write(_log, json.dumps(row).encode() + b"\n")
    if event.startswith(_NETWORK):
        raise PermissionError(f"{event}: the network is closed")


_note("open", ("the watch begins",))
sys.addaudithook(_note)
