"""A home that is destroyed comes back out of its backup as it was; what is no whole backup makes no home."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import stat
import tarfile
import threading
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core import Core
from core.__main__ import main
from core.adapters import backups
from core.adapters.ledger import SqlLedger
from core.domain.alerts import AlertRule
from core.domain.forecast import RiskLevel
from core.errors import ConfigurationError
from tests.adapters.test_ledger import ISSUED
from tests.adapters.test_ledger_copy import filled, rows
from tests.conftest import NOW

MADE = (NOW, "2.0.0")


def made(home: Path) -> SqlLedger:
    """Return the ledger of a home that has something of everything."""
    ledger = filled(f"sqlite:///{home / 'data' / 'ledger.sqlite'}")
    for name, text in {
        "models/versions/v1/manifest.json": "{}",
        "models/pointers/r.json": "v1",
        "data/model.key": "secret",
        "data/processed/gauges/r/2026-07.parquet": "rain" * 10_000,
        "data/processed/.gauges.lock": "",
        "logs/server.log": "said",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    (home / "data" / "model.key").chmod(0o600)
    return ledger


def files(home: Path) -> Mapping[str, bytes]:
    """Return what the files of a home hold, without the ledger."""
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "ledger" not in path.name
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar.gz"


def test_a_home_comes_back_as_it_was(home: Path, file: Path, tmp_path: Path) -> None:
    ledger = made(home)
    before, said = files(home), rows(ledger)
    contents = backups.write(file, home, ledger, MADE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ledger.engine.dispose()
    shutil.rmtree(home)
    assert backups.restore(file, home) == contents
    assert files(home) == {name: data for name, data in before.items() if "lock" not in name and "logs" not in name}
    assert stat.S_IMODE((home / "data" / "model.key").stat().st_mode) == 0o600
    assert rows(SqlLedger(f"sqlite:///{home / 'data' / 'ledger.sqlite'}")) == said
    assert sorted(path.name for path in home.iterdir()) == ["data", "models"]
    assert list(tmp_path.glob(".*")) == []


def test_a_house_that_was_destroyed_opens_as_the_same_house(
    home: Path, file: Path, open_house: Callable[..., Core], capsys: pytest.CaptureFixture[str]
) -> None:
    house = open_house(source="simulator:")
    issue = house.forecasting.current(house.default_region)
    rule = AlertRule("mine", house.default_region, RiskLevel.RED)
    house.alerts.set_rule(rule, "Asha")
    counts = house.lifecycle.ledger.forecast_counts()
    assert counts
    assert main(["backup", str(file)]) == 0
    assert "files" in capsys.readouterr().out
    shutil.rmtree(home)
    assert main(["restore", str(file)]) == 0
    assert NOW.date().isoformat() not in capsys.readouterr().err
    again = open_house(source="simulator:")
    assert again.lifecycle.ledger.forecast_counts() == counts
    assert rule in again.alerts.rules(house.default_region)
    assert again.forecasting.current(house.default_region).forecast.model_version == issue.forecast.model_version


def test_a_backup_is_of_one_moment_while_others_write(home: Path, file: Path) -> None:
    ledger = made(home)
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            ledger.record_run("watch", "ok", {"number": number}, ISSUED)
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for i in range(5):
            backups.write(file.with_name(f"{i}.tar.gz"), home, ledger, MADE)
    finally:
        over.set()
        thread.join()
    counted = []
    for i in range(5):
        backups.restore(file.with_name(f"{i}.tar.gz"), home.with_name(f"home {i}"))
        found = SqlLedger(f"sqlite:///{home.with_name(f'home {i}') / 'data' / 'ledger.sqlite'}")
        numbers = [run["detail"]["number"] for run in found.runs(100_000, "watch")]
        assert numbers == list(range(len(numbers)))[::-1]
        counted.append(len(numbers))
    assert counted == sorted(counted)
    assert counted[-1] > counted[0]


def test_a_ledger_on_postgresql_is_in_the_backup_and_comes_back(
    home: Path, file: Path, postgres_url: str, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = rows(filled(postgres_url))
    monkeypatch.setenv("CLOUDBURST_DATABASE_URL", postgres_url)
    assert main(["backup", str(file)]) == 0
    shutil.rmtree(home)
    assert main(["restore", str(file)]) == 2  # the database is not empty
    assert not home.exists()
    other = new_database()
    monkeypatch.setenv("CLOUDBURST_DATABASE_URL", other)
    assert main(["restore", str(file)]) == 0
    assert rows(SqlLedger(other)) == said


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
def test_a_backup_that_was_cut_makes_no_home(home: Path, file: Path, share: float) -> None:
    backups.write(file, home, made(home), MADE)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    other = home.with_name("other")
    with pytest.raises(ConfigurationError, match="no whole backup"):
        backups.restore(file, other)
    assert list(other.iterdir()) == []


def unpacked(data: bytes) -> bytes | None:
    """Return what a backup is when it is unpacked, None where it cannot be."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return None


def test_a_bit_that_is_another_makes_no_other_home(home: Path, file: Path) -> None:
    backups.write(file, home, made(home), MADE)
    whole = file.read_bytes()
    backups.restore(file, home.with_name("whole"))
    wanted, refused = files(home.with_name("whole")), 0
    for i in range(1, 20):
        data = bytearray(whole)
        data[i * len(data) // 20] ^= 0x10
        file.write_bytes(data)
        other = home.with_name(f"other {i}")
        # Zeros that are taken from other zeros, and bits that fill a byte up, give the same bytes: one in ten does.
        if unpacked(data) == unpacked(whole):
            backups.restore(file, other)
            assert files(other) == wanted
            assert rows(SqlLedger(f"sqlite:///{other / 'data' / 'ledger.sqlite'}")) == rows(
                SqlLedger(f"sqlite:///{home / 'data' / 'ledger.sqlite'}")
            )
        else:
            with pytest.raises(ConfigurationError, match="no whole backup"):
                backups.restore(file, other)
            assert list(other.iterdir()) == []
            refused += 1
    assert refused > 0


def packed(file: Path, members: list[tarfile.TarInfo], data: bytes = b"x", **contents: object) -> None:
    """Write a backup by hand, with the digests that belong to it."""
    files = {member.name: hashlib.sha256(data).hexdigest() for member in members if member.isreg()}
    said = json.dumps({"format": 1, "at": "now", "version": "2", "files": files} | contents).encode()
    last = tarfile.TarInfo(backups.CONTENTS)
    with tarfile.open(file, "w:gz") as archive:
        for member in [*members, last]:
            held = said if member is last else data
            member.size = len(held) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(held))


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, target, 0o600
    return made


@pytest.mark.parametrize(
    "members",
    [
        [member("../outside")],
        [member("/outside")],
        [member("data/../../outside")],
        [member("elsewhere/file")],
        [member("data")],
        [member("data/link", tarfile.SYMTYPE, "/etc/passwd")],
        [member("data/link", tarfile.LNKTYPE, "/etc/passwd")],
        [member("data/pipe", tarfile.FIFOTYPE)],
        [member("data/twice"), member("data/twice")],
    ],
    ids=lambda members: members[0].name + members[0].type.decode(),
)
def test_what_leaves_the_home_or_is_no_file_makes_no_home(
    home: Path, file: Path, members: list[tarfile.TarInfo]
) -> None:
    packed(file, members)
    with pytest.raises((ConfigurationError, FileExistsError)):
        backups.restore(file, home)
    assert list(home.iterdir()) == []
    assert not (home.parent / "outside").exists()


@pytest.mark.parametrize(
    "contents", [{"format": 2}, {"files": {}}, {"files": {"data/a": "0"}}, {"files": None}], ids=str
)
def test_what_is_not_as_it_says_makes_no_home(home: Path, file: Path, contents: dict[str, object]) -> None:
    packed(file, [member("data/a")])
    backups.restore(file, home.with_name("as it says"))
    packed(file, [member("data/a")], **contents)
    with pytest.raises(ConfigurationError, match="no whole backup"):
        backups.restore(file, home)
    assert list(home.iterdir()) == []


def test_nothing_is_overwritten(home: Path, file: Path) -> None:
    ledger = made(home)
    backups.write(file, home, ledger, MADE)
    with pytest.raises(ConfigurationError, match="there already"):
        backups.write(file, home, ledger, MADE)
    with pytest.raises(ConfigurationError, match="within the home"):
        backups.write(home / "data" / "backup.tar.gz", home, ledger, MADE)
    with pytest.raises(ConfigurationError, match="has models and data"):
        backups.restore(file, home)


def test_the_command_without_a_file_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", str(tmp_path / "none")]) == 2
    assert "hint: Name the file" in capsys.readouterr().err
