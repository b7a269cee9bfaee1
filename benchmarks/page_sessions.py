"""Sessions of the dashboard without a browser: the websocket of the pages, driven by the protocol's own messages."""

from __future__ import annotations

import time
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

#: Patience where nobody names another, seconds.
PATIENCE_S = 120.0


class PageSession:
    """One open page; `rerun` draws it anew and says how long that took.

    `ticking` are the pieces of the page that draw themselves anew, with the seconds after which they do. A script that
    has not ended after `patience_s` has failed.
    """

    def __init__(self, address: str, page: str, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self.ticking: dict[str, float] = {}
        self._address = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
        self._page = page

    def __enter__(self) -> PageSession:
        self._socket: ClientConnection = connect(self._address, max_size=None, subprotocols=["streamlit"])  # type: ignore[list-item]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def show(self, page: str) -> float:
        """Change to another page and draw it; return the seconds."""
        self._page = page
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
        self.ticking = {}
        return self.tick("")

    def tick(self, piece: str) -> float:
        """Draw one of the `ticking` pieces anew, as `rerun` does the whole page."""
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        ask.rerun_script.page_name = self._page
        ask.rerun_script.fragment_id = piece
        begun = time.perf_counter()
        self._socket.send(ask.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=self._patience_s))  # type: ignore[arg-type]
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.HasField("exception"):
                raise RuntimeError(message.delta.new_element.exception.message)
            if kind == "auto_rerun":
                self.ticking[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            if kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return time.perf_counter() - begun
