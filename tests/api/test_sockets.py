"""Answers wait for no acknowledgement: what listens hands the setting on to what it accepts."""

from __future__ import annotations

import socket

from api.sockets import without_delay


def test_a_socket_that_names_no_protocol_accepts_connections_without_delay() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:  # as Streamlit's server opens it
        listening.bind(("127.0.0.1", 0))
        assert without_delay() >= 1
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_is_no_tcp_socket_is_left_alone() -> None:
    one, other = socket.socketpair()
    with one, other:
        without_delay()
        one.sendall(b"x")
        assert other.recv(1) == b"x"
