import gzip
import os

import pytest
from aiops_source_file import FileConfig, FileSource

from aiops_core import Context


def test_a_run_once_reads_what_is_there_from_the_beginning_and_returns(tmp_path, tail):
    (tmp_path / "a.log").write_text("1\n2\n")
    (tmp_path / "b.log").write_text("3\n")

    source = tail().run_once()

    assert sorted(source.lines) == ["1", "2", "3"]


def test_a_run_once_goes_on_from_the_positions_of_the_last(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail().run_once()

    append(log, "2\n")
    source.run_once()
    source.run_once()

    assert source.lines == ["1", "2"]


def test_a_run_once_ends_with_the_unterminated_last_line(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\nlast")
    source = tail().run_once()

    last = source.chunks[-1]
    assert (last.data, last.ended, last.offset, last.attributes) == (b"last", True, 2, {})
    append(log, " and more\n")
    source.run_once()

    assert source.data == b"1\nlast and more\n"


def test_a_run_once_reads_older_files_first_and_each_to_its_end(tmp_path, tail):
    (tmp_path / "a.log.2").write_bytes(b"2" * 99 + b"\n")
    (tmp_path / "a.log.1").write_bytes((b"1" * 99 + b"\n") * 30_000)
    (tmp_path / "a.log").write_bytes(b"0" * 99 + b"\n")

    source = tail("a.log*").run_once()

    names = list(dict.fromkeys(batch.path.rpartition("/")[2] for batch in source.chunks))
    assert names == ["a.log.2", "a.log.1", "a.log"]
    assert len(source.batches) > 4


def test_a_run_once_leaves_what_is_written_meanwhile_to_the_next(tmp_path, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"1\n" * 600_000)

    def run(positions):
        context = Context(directory=tmp_path, once=True)
        return FileSource(FileConfig(paths=["a.log"]), context).source(positions)

    batches = []
    for batch in run({}):
        batches.append(batch)
        if batch.offset > 0:
            append(log, "2\n2\nto")
    append(log, "rn\n")
    batches.extend(run({batch.stream: batch.end for batch in batches}))

    assert b"".join(batch.data for batch in batches) == log.read_bytes()
    assert not any(batch.ended for batch in batches)


@pytest.mark.parametrize("parts", [1, 3])
def test_case_27_gzip_files_are_read_in_all_their_members(tmp_path, tail, parts):
    members = [f"part {n} {'x' * 50}\n".encode() * 30_000 for n in range(parts)]
    (tmp_path / "a.log.1.gz").write_bytes(b"".join(map(gzip.compress, members)))

    source = tail("*.gz").run_once()

    assert source.data == b"".join(members)
    data = source.chunks
    assert data[1].offset == len(data[0].data)


def test_a_gzip_file_is_read_once_only(tmp_path, tail):
    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(b"1\nlast"))
    source = tail("*").run_once()

    source.run_once()

    assert source.data == b"1\nlast"


def test_a_gzip_file_goes_on_at_the_committed_byte(tmp_path, tail):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\ntwo\nthree\n"))
    source = tail("*.gz").run_once()
    batch = source.chunks[0]

    source.positions[batch.stream] = batch.position_at(4)
    source.batches.clear()
    source.run_once()

    assert source.lines == ["two", "three"]


def test_a_truncated_gzip_file_is_read_as_far_as_it_goes(tmp_path, tail):
    lines = b"".join(b"line %d\n" % n for n in range(50_000))
    (tmp_path / "a.gz").write_bytes(gzip.compress(lines)[:-5_000])

    source = tail("a.gz").run_once()

    assert len(source.data) > 200_000
    assert lines.startswith(source.data)


def test_a_damaged_gzip_file_is_told(tmp_path, tail):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x\n" * 5000)[:20] + b"garbage" * 100)

    source = tail("a.gz").run_once()

    assert any("a.gz: is damaged; it was read up to byte" in message for message in source.messages)


def test_a_gzip_file_is_not_followed(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("")
    source = tail("a.log*").start()

    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(b"was read long ago\n"))
    os.utime(packed, (1, 1))
    packed.rename(tmp_path / "a.log.1.gz")
    append(log, "new\n")

    source.wait_for("new")


def test_a_compressed_file_named_by_its_path_is_told_when_it_is_not_followed(tmp_path, tail):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"1\n"))

    source = tail("a.gz").start()

    source.wait(lambda: source.messages)
    assert source.messages == [
        f"{tmp_path}/a.gz: is compressed and not followed. `aiops scan` and `run --once` read such files."
    ]


def test_a_run_once_over_nothing_returns(tail):
    source = tail("missing.log").run_once()

    assert source.data == b""
