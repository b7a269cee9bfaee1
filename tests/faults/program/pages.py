"""A page of the running program, read as its reader sees it: texts, and banners by their colour."""

from __future__ import annotations

from typing import Any

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.page_sessions import PageSession


class _Ear:
    """The websocket of a session that remembers what came."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.heard: list[bytes] = []

    def recv(self, timeout: float | None = None) -> bytes:
        data: bytes = self._socket.recv(timeout=timeout)
        self.heard.append(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class ReadPage(PageSession):
    """One open page that remembers what it was last told to show."""

    def __enter__(self) -> ReadPage:
        super().__enter__()
        self._ear = self._socket = _Ear(self._socket)  # type: ignore[assignment]
        return self

    def tick(self, piece: str) -> float:
        """As that of the session; what was heard before is forgotten."""
        self._ear.heard.clear()
        return super().tick(piece)

    def tick_all(self) -> None:
        """Draw every piece that draws itself anew; where one asks for the whole page, that."""
        for piece in list(self.ticking) or [""]:
            self.tick(piece)

    def shows(self, *texts: str) -> bool:
        """Say whether one of the texts was among what it was last told to show."""
        return any(text.encode() in data for text in texts for data in self._ear.heard)

    def red(self) -> list[str]:
        """Return the texts of the red banners it was last told to show."""
        found = []
        for data in self._ear.heard:
            message = ForwardMsg()
            message.ParseFromString(data)
            element = message.delta.new_element
            if element.HasField("alert") and element.alert.format == Alert.ERROR:
                found.append(element.alert.body)
        return found
