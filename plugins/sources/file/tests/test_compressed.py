import gzip
import os
import time
import zlib

import pytest


def lines(first, last, fill="x" * 40):
    return "".join(f"line {n} {fill}\n" for n in range(first, last))


def compress(path, target=None):
    """Compress a file as gzip does."""
    status, packed = path.stat(), target or path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()


@pytest.mark.parametrize("content", ["one\ntwo\n", lines(0, 500)], ids=["small", "large"])
def test_case_26_a_compressed_copy_of_a_file_that_was_read_is_not_read_again(tmp_path, tail, content):
    log = tmp_path / "a.log"
    log.write_text(content)
    source = tail("a.log*", rotate_wait="50ms").run_once()
    log.rename(tmp_path / "a.log.1")
    compress(tmp_path / "a.log.1")
    log.write_text("new\n")

    source.run_once()
    source.run_once()

    assert source.data.decode() == content + "new\n"


def test_case_26_the_unread_rest_in_a_compressed_copy_is_read_by_a_run_once(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text(lines(0, 500))
    source = tail("a.log*").run_once()

    append(log, lines(500, 600))
    compress(log, tmp_path / "a.log.1.gz")
    source.run_once()
    source.run_once()

    assert source.data.decode() == lines(0, 600)


@pytest.mark.parametrize("pattern", ["a.log", "a.log*"])
def test_case_26_the_unread_rest_of_a_file_compressed_while_stopped_is_read_first(
    tmp_path, tail, append, pattern
):
    log = tmp_path / "a.log"
    log.write_text(lines(0, 50))
    source = tail(pattern, start="beginning").start()
    source.wait(lambda: len(source.lines) == 50)
    source.stop()

    append(log, lines(50, 60))
    compress(log, tmp_path / "a.log.1.gz")
    log.write_text("new\n")
    source.start()

    source.wait(lambda: len(source.lines) == 61)
    assert source.data.decode() == lines(0, 60) + "new\n"
    (old, _) = source.streams
    assert [b.offset for b in source.chunks if b.stream == old] == [0, len(lines(0, 50))]


def test_a_compressed_copy_known_only_by_a_few_bytes_needs_a_name_that_says_so(tmp_path, tail):
    (tmp_path / "a.log").write_text("started\n")
    source = tail("*").run_once()

    (tmp_path / "other.log.1.gz").write_bytes(gzip.compress(b"started\n"))
    source.run_once()

    assert source.lines == ["started", "started"]


def test_a_compressed_copy_of_something_else_is_read_whole(tmp_path, tail):
    (tmp_path / "a.log").write_text(lines(0, 100))
    source = tail("*").run_once()

    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(lines(0, 50).encode() + b"other\n"))
    source.run_once()

    assert source.data.decode() == lines(0, 100) + lines(0, 50) + "other\n"


@pytest.mark.parametrize("torn", [0, 1, 700])
def test_case_27_a_gzip_file_that_is_still_written_goes_on_in_the_next_run(tmp_path, tail, append, torn):
    packer, log = zlib.compressobj(wbits=31), tmp_path / "a.log.gz"
    begin = packer.compress(lines(0, 3000, os.urandom(30).hex()).encode() + b"torn ") + packer.flush(
        zlib.Z_SYNC_FLUSH
    )
    end = packer.compress(b"line\nlast") + packer.flush()
    log.write_bytes(begin[: len(begin) - torn])
    source = tail("*.gz").run_once()
    assert source.data.endswith(b"\n")

    append(log, begin[len(begin) - torn :] + end + gzip.compress(b" of one member\nnext member\n"))
    source.run_once()
    source.run_once()

    assert source.data.endswith(b"torn line\nlast of one member\nnext member\n")
    assert len(source.lines) == 3003
    assert len(source.streams) == 1
    assert [m for m in source.messages if "a later run" in m.lower()] == source.messages[:1]


def test_a_compressed_utf_16_file_is_decoded(tmp_path, tail):
    text = "eins\nzwö\n"
    (tmp_path / "a.gz").write_bytes(gzip.compress(("\ufeff" + text).encode("utf-16-le")))

    assert tail("a.gz").run_once().data.decode() == text


def test_a_compressed_binary_is_skipped(tmp_path, tail):
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(range(256)) * 9))
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"text\n"))

    assert tail("*.gz").run_once().lines == ["text"]


def test_zero_bytes_behind_the_last_member_are_no_damage(tmp_path, tail):
    (tmp_path / "a.gz").write_bytes(
        gzip.compress(b"1\n") + b"\0" * 100_000 + gzip.compress(b"2\n") + b"\0" * 512
    )

    source = tail("a.gz").run_once()

    assert (source.lines, source.messages) == (["1", "2"], [])


def test_a_renamed_file_that_was_closed_and_compressed_is_read_from_there(
    tmp_path, tail, append, monkeypatch
):
    monkeypatch.setattr("aiops_source_file.follower._handle_limit", lambda: 1)
    log = tmp_path / "a.log"
    log.write_text(lines(0, 50))
    source = tail("*.log", start="beginning", rotate_wait="50ms").start()
    source.wait(lambda: len(source.lines) == 50)
    generation = next(iter(source.component._follower._live.by_key.values()))
    source.component._follower._files.close(generation.key)

    with (tmp_path / "a.log.1.gz").open("wb") as packed:
        packed.write(gzip.compress((lines(0, 50) + "unread\n").encode()))
        generation.seen = (log.stat().st_size + 7, 0)
        log.unlink()

    source.wait(lambda: source.data.endswith(b"unread\n"))
    assert len(source.lines) == 51


@pytest.mark.parametrize("content", ["one\ntwo\n", lines(0, 500)], ids=["small", "large"])
def test_case_26_a_compressed_copy_of_a_stream_that_ended_is_not_read_again(tmp_path, tail, content):
    log = tmp_path / "a.log"
    log.write_text(content)
    source = tail("a.log", start="beginning", rotate_wait="20ms").start()
    source.wait(lambda: source.data.decode() == content)
    log.rename(tmp_path / "a.log.1")
    source.wait(lambda: source.batches[-1].ended)
    source.stop()

    compress(tmp_path / "a.log.1")
    log.write_text("new\n")
    source.settings["paths"] = ["a.log*"]
    source.run_once()

    assert source.data.decode() == content + "new\n"


@pytest.mark.parametrize("pause", [0.1, 1.2])
def test_case_26_a_file_that_was_written_to_after_it_was_compressed_is_read_once(tmp_path, tail, pause):
    log = tmp_path / "a.log"
    source = tail("a.log", start="beginning").start()
    written = []

    def write(file, number):
        new = lines(len(written), len(written) + number).splitlines()
        file.write("".join(f"{line}\n" for line in new))
        file.flush()
        written.extend(new)
        source.wait(lambda: written[-1] in source.lines)

    for _ in range(3):
        with log.open("a") as file:
            write(file, 50)
            time.sleep(pause)
            log.rename(tmp_path / "a.log.1")
            for number in (2, 1):
                if (packed := tmp_path / f"a.log.{number}.gz").exists():
                    packed.rename(tmp_path / f"a.log.{number + 1}.gz")
            compress(tmp_path / "a.log.1")
            log.touch()
            write(file, 5)
    time.sleep(0.5)  # for what would be read again
    source.stop()
    source.run_once()

    assert sorted(source.lines) == sorted(written)
