import resource

import pytest

MEBIBYTE = 1 << 20


def test_case_36_an_over_long_line_is_cut_and_its_neighbours_are_whole(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_bytes(b"first\n" + b"x" * 10_000_000 + b"\nlast\n")
    source = tail(start="beginning").start()

    source.wait(lambda: source.data.endswith(b"last\n"))

    first, head, last = source.chunks
    assert (first.data, last.data) == (b"first\n", b"last\n")
    assert head.data == b"x" * MEBIBYTE + b"\n"
    assert head.attributes == {"truncated": "true", "original_bytes": "10000000"}
    assert [position["offset"] for _, position in head.marks] == [6, 10_000_007]
    assert head.position_at(500)["offset"] == 6
    assert last.offset == 10_000_007
    assert source.messages == [
        f"{log}: the line at byte 6 is longer than 1048576 bytes; of such lines only the beginning is read."
    ]


@pytest.mark.parametrize(("length", "is_cut"), [(MEBIBYTE, False), (MEBIBYTE + 1, True)])
def test_case_37_the_longest_line_is_one_mebibyte(tmp_path, tail, length, is_cut):
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * length + b"\nlast\n")
    source = tail(start="beginning").start()

    source.wait(lambda: source.data.endswith(b"last\n"))

    batches = source.chunks
    assert ("truncated" in batches[0].attributes) is is_cut
    assert len(batches[0].data.split(b"\n")[0]) == MEBIBYTE


def test_case_37_an_over_long_line_that_arrives_in_pieces_is_told_once(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"")
    source = tail().start()

    for _ in range(30):
        append(log, b"x" * 100_000)
    source.wait(lambda: source.data)
    (generation,) = source.component._follower._live.by_key.values()
    source.wait(lambda: generation.offset == 3_000_000)
    append(log, "y" * 100)
    source.wait(lambda: generation.offset == 3_000_100)
    append(log, "end of it\nnext\n")

    source.wait(lambda: source.data.endswith(b"next\n"))
    assert source.data == b"x" * MEBIBYTE + b"\nnext\n"


def test_a_restart_inside_an_over_long_line_goes_on_skipping(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 2 * MEBIBYTE)
    source = tail(start="beginning").start()
    source.wait(lambda: source.data)
    source.stop()

    append(log, "rest\nnext\n")
    source.start()

    source.wait(lambda: source.data.endswith(b"next\n"))
    assert source.data == b"x" * MEBIBYTE + b"\nnext\n"


def test_case_36_37_an_endless_line_takes_no_memory(tmp_path, tail):
    log = tmp_path / "a.log"
    with log.open("wb") as file:
        for _ in range(80):
            file.write(b"x" * MEBIBYTE)
        file.write(b"\nlast\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    source = tail(start="beginning").start()
    source.wait(lambda: source.data.endswith(b"last\n"))

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


def test_case_28_33_35_bytes_stay_as_they_are(tmp_path, tail):
    content = b"bad \xff\xfe \xc3( end\ncaf\xe9\nnul \0 inside\0\ncr\rlf\r\n\r\n\n \tindented \n"
    (tmp_path / "a.log").write_bytes(content)

    source = tail("a.log", start="beginning").start()

    source.wait(lambda: source.data == content)


def test_a_byte_order_mark_is_no_text(tmp_path, tail):
    (tmp_path / "a.log").write_bytes(b"\xef\xbb\xbfone\ntwo\n")

    source = tail(start="beginning").start()

    source.wait_for("one", "two")
    assert source.chunks[0].offset == 3


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_case_31_32_utf_16_becomes_utf_8_with_a_mark_for_every_line(tmp_path, tail, append, mark, encoding):
    log = tmp_path / "a.log"
    text = "one\nno \u0a05\u0100 newline \U0001f600\n"
    log.write_bytes(mark + text.encode(encoding))
    source = tail(start="beginning").start()
    source.wait_for(*text.splitlines())

    raw = "late\n".encode(encoding)
    append(log, raw[:3])
    append(log, raw[3:])

    source.wait_for(*text.splitlines(), "late")
    batch = source.chunks[0]
    raw_offsets = [2, 10, 10 + len(text.splitlines()[1].encode(encoding)) + 2]
    assert [position["offset"] for _, position in batch.marks] == raw_offsets
    assert batch.data[batch.marks[1][0] :].decode().startswith("no")


def test_case_30_a_restart_in_a_utf_16_file_keeps_its_encoding(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes("\ufeffone\n".encode("utf-16-le"))
    source = tail().start()
    source.stop()

    append(log, "zwö\n".encode("utf-16-le"))
    source.start()

    source.wait_for("zwö")


def test_zero_bytes_before_the_first_line_are_dropped(tmp_path, tail, append):
    log = tmp_path / "a.log"
    with log.open("wb") as file:
        file.truncate(300 * MEBIBYTE)
    append(log, "one\n")

    source = tail(start="beginning").start()

    source.wait_for("one")
    assert source.batches[-1].offset + 4 == log.stat().st_size
    assert source.messages == [
        f"{log}: the zero bytes from 0 to 314572800 were dropped. "
        "Was it truncated under a writer that does not append?"
    ]


def test_space_that_a_writer_reserved_is_read_when_it_is_filled(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_bytes(b"one\n" + b"\0" * 4096)
    source = tail("a.log", start="beginning").start()
    source.wait_for("one")

    with log.open("r+b") as file:
        file.seek(4)
        file.write(b"two\n")

    source.wait_for("one", "two")


@pytest.mark.parametrize("longest", [200, 15_000, 40_000])
def test_a_backlog_of_lines_of_any_length_arrives_byte_for_byte_in_whole_lines(tmp_path, tail, longest):
    lines = [
        b"%d " % index + b"x" * (index * 7919 % longest) + b"\n" for index in range(9_000_000 // longest)
    ]
    text = b"".join(lines) + b"torn"
    (tmp_path / "a.log").write_bytes(text)
    source = tail(start="beginning").start()

    source.wait(lambda: len(source.data) >= len(text) - 4)

    assert source.data == text.removesuffix(b"torn")
    assert all(batch.data.endswith(b"\n") for batch in source.chunks)
    assert len(source.chunks) <= len(text) // MEBIBYTE * 2 + 2
