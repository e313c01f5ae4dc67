"""Arrow IPC as a log: streams and files, packed or not, whole or broken."""

import gzip
import io
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import polars as pl
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


def of_polars(compression: Literal["uncompressed", "lz4", "zstd"]) -> bytes:
    sink = io.BytesIO()
    frame = pl.DataFrame(table()).with_columns(pl.col("model").cast(pl.String))
    frame.write_ipc(sink, compression=compression)
    return sink.getvalue()


KINDS = {
    "stream.arrows": lambda: written(pa.ipc.new_stream),
    "file.arrow": lambda: written(pa.ipc.new_file),
    "lz4.feather": lambda: written(pa.ipc.new_file, "lz4"),
    "zstd.arrow": lambda: written(pa.ipc.new_stream, "zstd"),
    "of-polars.arrow": lambda: of_polars("uncompressed"),
    "of-polars-zstd.feather": lambda: of_polars("zstd"),
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


def test_streams_one_behind_the_other_are_all_read(tmp_path: Path) -> None:
    whole = KINDS["stream.arrows"]()
    (tmp_path / "two.arrows").write_bytes(whole + whole)
    ledger = wl.scan(tmp_path / "two.arrows")
    assert ledger.describe()["requests"] == 2 * (ROWS - 20)
    (tmp_path / "two.arrows").write_bytes(whole + b"more")
    ledger = wl.scan(tmp_path / "two.arrows")
    assert ledger.describe()["requests"] == ROWS - 20
    assert "after the end" in ledger.coverage["incomplete"][0]


def test_a_file_whose_writer_died_is_incomplete_even_between_two_messages(tmp_path: Path) -> None:
    """Without its index a file is no file; from a pipe its batches are counted and the end is missed."""
    whole = KINDS["file.arrow"]()
    # The batches, without the mark of the end and the index.
    cut = whole[: whole.rindex(b"\xff\xff\xff\xff\x00\x00\x00\x00")]
    (tmp_path / "cut.arrow").write_bytes(cut)
    with pytest.raises(wl.InputError, match="cut off"):
        wl.scan(tmp_path / "cut.arrow")
    (tmp_path / "cut.arrow.gz").write_bytes(gzip.compress(cut))
    ledger = wl.scan(tmp_path / "cut.arrow.gz")
    assert ledger.describe()["requests"] == ROWS - 20
    assert "before its index" in ledger.coverage["incomplete"][0]


def test_a_table_without_rows_is_a_log_without_requests(tmp_path: Path) -> None:
    for make in (pa.ipc.new_file, pa.ipc.new_stream):
        with pa.OSFile(str(tmp_path / "none.arrow"), "wb") as sink, make(sink, table().schema):
            pass
        assert wl.scan(tmp_path / "none.arrow").describe()["requests"] == 0


def test_a_packed_buffer_that_claims_too_much_is_damage(tmp_path: Path) -> None:
    whole = bytearray(KINDS["lz4.feather"]())
    # Every packed buffer begins with its size and the mark of an LZ4 frame.
    first = whole.index(b"\x04\x22\x4d\x18")
    whole[first - 1] = 0x7F
    (tmp_path / "bomb.feather").write_bytes(whole)
    with pytest.raises(wl.InputError, match="claims more"):
        wl.scan(tmp_path / "bomb.feather")


def test_a_column_of_another_type_is_an_error_with_its_name(tmp_path: Path) -> None:
    wrong = table().set_column(2, "input_tokens", pa.array([True] * ROWS))
    with pa.OSFile(str(tmp_path / "wrong.arrow"), "wb") as sink, pa.ipc.new_file(sink, wrong.schema) as writer:
        writer.write_table(wrong)
    with pytest.raises(wl.InputError, match="input_tokens"):
        wl.scan(tmp_path / "wrong.arrow")


def test_spoiled_bytes_are_an_error_or_an_account_and_never_a_crash(tmp_path: Path) -> None:
    random_ = random.Random(7)  # noqa: S311 - any bytes do
    wholes = [KINDS[name]() for name in ("file.arrow", "stream.arrows", "lz4.feather", "zstd.arrow")]
    for number in range(240):
        whole = wholes[number % 4]
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
