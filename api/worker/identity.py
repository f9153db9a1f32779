"""The name under which a worker leases messages, and whether its process still lives."""

import os
import secrets
import socket
from pathlib import Path


def new_name() -> str:
    """`host:pid:start:random`; `start` tells apart two processes that got the same pid."""
    pid = os.getpid()
    return f"{socket.gethostname()[:40]}:{pid}:{_started(pid)}:{secrets.token_hex(4)}"


def is_dead(name: str) -> bool:
    """Whether this worker's process is surely gone. Of another host we cannot know: False."""
    parts = name.split(":")
    if len(parts) != 4 or parts[0] != socket.gethostname()[:40] or not parts[1].isdigit():
        return False
    pid = int(parts[1])
    if pid == os.getpid() and parts[2] == _started(pid):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _started(pid) != parts[2]


def _started(pid: int) -> str:
    """The start of a process in clock ticks since boot; `-` where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "-"
