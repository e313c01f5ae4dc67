"""Arrow IPC as a log: streams and files, packed or not, whole or broken."""

import gzip
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import wattledger as wl

ROWS = 20_000


def table() -> pa.Table:
    return pa.table(
        {
            "timestamp": pa.array([1_767_225_600 + i for i in range(ROWS)], pa.timestamp("s", "UTC")),
            "model": pa.array([f"m{i % 7}" for i in range(ROWS)]).dictionary_encode(),
            "input_tokens": pa.array([i % 900 for i in range(ROWS)], pa.uint32()),
            "output_tokens": pa.array([None if i % 1000 == 3 else i % 90 for i in range(ROWS)], pa.int64()),
        }
    )


def written(make: Callable[..., pa.ipc.RecordBatchStreamWriter], compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with make(sink, table().schema, options=options) as writer:
        writer.write_table(table(), max_chunksize=3000)
    return bytes(sink.getvalue())


KINDS = {
    "stream.arrows": lambda: written(pa.ipc.new_stream),
    "file.arrow": lambda: written(pa.ipc.new_file),
    "lz4.feather": lambda: written(pa.ipc.new_file, "lz4"),
    "zstd.arrow": lambda: written(pa.ipc.new_stream, "zstd"),
    "packed.arrow.gz": lambda: gzip.compress(written(pa.ipc.new_stream)),
    # Told by its first bytes, whatever its name says.
    "log.jsonl": lambda: written(pa.ipc.new_file),
}


@pytest.mark.parametrize("name", KINDS)
def test_arrow_files_are_read_as_the_table_they_hold(name: str, tmp_path: Path) -> None:
    expected = wl.scan(table())
    (tmp_path / name).write_bytes(KINDS[name]())
    ledger = wl.scan(tmp_path / name)
    assert ledger.describe()["requests"] == expected.describe()["requests"] == ROWS - 20
    assert pa.table(ledger).equals(pa.table(expected))
    account, of_table = ledger.coverage, expected.coverage
    for reject in account["rejects"]:
        assert reject["file"] == str(tmp_path / name)
        reject["file"] = "memory"
    assert account == of_table
    # A folder finds it as well.
    assert wl.scan(tmp_path).describe()["requests"] == ROWS - 20


def test_arrow_comes_through_a_pipe() -> None:
    code = "import wattledger as wl; print(wl.scan('-').describe()['requests'])"
    done = subprocess.run([sys.executable, "-c", code], input=KINDS["file.arrow"](), capture_output=True, check=True)
    assert done.stdout == b"19980\n"


def test_what_stands_before_damage_is_counted_and_the_damage_named(tmp_path: Path) -> None:
    whole = KINDS["stream.arrows"]()
    (tmp_path / "cut.arrow").write_bytes(whole[: len(whole) // 2])
    ledger = wl.scan(tmp_path / "cut.arrow")
    assert 0 < ledger.describe()["requests"] < ROWS - 20
    [note] = ledger.coverage["incomplete"]
    assert "cut.arrow" in note
    (tmp_path / "cut.arrow").write_bytes(whole[:100])
    with pytest.raises(wl.InputError, match=r"cut\.arrow"):
        wl.scan(tmp_path / "cut.arrow")


def test_a_column_of_another_type_is_an_error_with_its_name(tmp_path: Path) -> None:
    wrong = table().set_column(2, "input_tokens", pa.array([True] * ROWS))
    with pa.OSFile(str(tmp_path / "wrong.arrow"), "wb") as sink, pa.ipc.new_file(sink, wrong.schema) as writer:
        writer.write_table(wrong)
    with pytest.raises(wl.InputError, match="input_tokens"):
        wl.scan(tmp_path / "wrong.arrow")


def test_spoiled_bytes_are_an_error_or_an_account_and_never_a_crash(tmp_path: Path) -> None:
    whole, random_ = KINDS["file.arrow"](), random.Random(7)  # noqa: S311 - any bytes do
    for _ in range(150):
        spoiled = bytearray(whole[: random_.randrange(1, len(whole))] if random_.random() < 0.3 else whole)
        for _ in range(random_.randrange(1, 9)):
            # Most of what can go wrong stands in the first messages.
            spoiled[random_.randrange(min(len(spoiled), random_.choice([64, 2000, len(whole)])))] = random_.randrange(
                256
            )
        (tmp_path / "spoiled.arrow").write_bytes(spoiled)
        try:
            ledger = wl.scan(tmp_path / "spoiled.arrow")
        except wl.WattledgerError:
            continue
        except RuntimeWarning:
            continue
        assert ledger.describe()["requests"] <= ROWS
