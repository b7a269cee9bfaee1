"""Sessions of the dashboard without a browser: the websocket of the pages, driven by the protocol's own messages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

#: Patience where nobody names another, seconds.
PATIENCE_S = 120.0


def stream_of(address: str) -> str:
    """Return where the pages of a program talk."""
    return f"{address.replace('http', 'ws', 1)}/_stcore/stream"


class Talk:
    """What one open page and its server say to each other, whatever carries it.

    `ticking` are the pieces of the page that draw themselves anew, with the seconds after which they do; `fields` are
    the ids of its text fields by their labels.
    """

    def __init__(self, page: str, query: str = "") -> None:
        self.page = page
        self.query = query
        self.ticking: dict[str, float] = {}
        self.fields: dict[str, str] = {}

    def ask(self, piece: str = "", typed: Mapping[str, str] | None = None) -> bytes:
        """Return the message that asks for the page, or one of the `ticking` pieces, with this text in its fields."""
        ask = BackMsg()
        ask.rerun_script.query_string = self.query
        ask.rerun_script.page_name = self.page
        ask.rerun_script.fragment_id = piece
        for label, text in (typed or {}).items():
            field = ask.rerun_script.widget_states.widgets.add()
            field.id, field.string_value = self.fields[label], text
        return bytes(ask.SerializeToString())

    def heard(self, data: bytes) -> bool:
        """Take one message; return whether the script has ended.

        Raises
        ------
        RuntimeError
            If it ended with an exception.
        """
        message = ForwardMsg()
        message.ParseFromString(data)
        kind = message.WhichOneof("type")
        # A piece can have its whole page drawn anew. Its pieces may then have other ids, and who asks for an old one
        # is not answered (app_session.py of Streamlit).
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self.ticking = {}
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.HasField("exception"):
                raise RuntimeError(element.exception.message)
            if element.HasField("text_input"):
                self.fields[element.text_input.label] = element.text_input.id
        if kind == "auto_rerun":
            self.ticking[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


class PageSession:
    """One open page; `rerun` draws it anew and says how long that took.

    A script that has not ended after `patience_s` has failed.
    """

    def __init__(self, address: str, page: str, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._address = stream_of(address)
        self._talk = Talk(page)

    def __enter__(self) -> PageSession:
        self._socket: ClientConnection = connect(self._address, max_size=None, subprotocols=["streamlit"])  # type: ignore[list-item]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    @property
    def ticking(self) -> Mapping[str, float]:
        """The pieces of the page that draw themselves anew, with the seconds after which they do."""
        return self._talk.ticking

    def show(self, page: str) -> float:
        """Change to another page and draw it; return the seconds."""
        self._talk.page = page
        return self.rerun()

    def rerun(self) -> float:
        """Return the seconds from asking for the page to the end of its script.

        Raises
        ------
        RuntimeError
            If the script ended with an exception.
        TimeoutError
            If it did not end.
        """
        return self.tick("")

    def tick(self, piece: str) -> float:
        """Draw one of the `ticking` pieces anew, as `rerun` does the whole page."""
        begun = time.perf_counter()
        self._socket.send(self._talk.ask(piece))
        while not self._talk.heard(self._socket.recv(timeout=self._patience_s)):  # type: ignore[arg-type]
            pass
        return time.perf_counter() - begun
