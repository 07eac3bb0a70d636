import json
from itertools import pairwise

import pytest
from aiops_source_file import FileConfig
from aiops_source_file.encoding import named

from aiops_core.testing import run_pipeline

NAMES = {"sjis": "shift_jis", "uhc": "uhc"}


def name_of(path):
    short = path.stem.removeprefix("generic_enc_")
    return short.replace("win", "cp") if short.startswith("win") else NAMES.get(short, short)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "café – naïve\n"),
        ("cp1251", "Ошибка: нет места\n"),
        ("cp866", "Ошибка: нет места\n"),
        ("shift_jis", "エラー: 表示 ソ 能\n"),
        ("gb18030", "错误：磁盘已满 𠀀\n"),
        ("big5", "錯誤：許功蓋\n"),
        ("euc_kr", "오류: 공간 없음\n"),
        ("iso2022_jp", "エラー: 表示\n"),
        ("utf-16-be", "no mark: é\n"),
        ("utf-32-le", "no mark: é\n"),
    ],
)
def test_a_file_in_a_named_encoding_becomes_utf_8(tmp_path, tail, append, encoding, text):
    log = tmp_path / "a.log"
    log.write_bytes(text.encode(encoding) * 2)
    source = tail(start="beginning", encoding=encoding).start()
    source.wait_for(*text.splitlines() * 2)

    raw = text.encode(encoding)
    for cut in range(1, len(raw)):
        append(log, raw[cut - 1 : cut])
    append(log, raw[-1:])

    source.wait_for(*text.splitlines() * 3)


def test_legacy_encodings_are_read_as_the_corpus_says(tmp_path, tail, corpora):
    folder = corpora / "traces/fluent-bit/runtime_tail"
    logs = sorted((folder / "log").glob("generic_enc_*.log"))

    for log in logs:
        (tmp_path / log.name).write_bytes(log.read_bytes())
        source = tail(log.name, encoding=name_of(log)).run_once()
        truth = folder / "out" / f"{log.stem}.out"
        lines = [line for line in source.lines if line]
        assert "\ufffd" not in source.data.decode(), log.stem
        if truth.exists():
            expected = [json.loads(line)["log"] for line in truth.read_text().splitlines()]
            assert lines[: len(expected)] == expected, log.stem  # it holds not all of some files

    assert len(logs) >= 7


def test_utf_16_is_read_as_the_corpus_has_it(tmp_path, tail, corpora):
    logs = sorted((corpora / "traces/fluent-bit/runtime_tail/log").glob("unicode_*.log"))

    for log in logs:
        (tmp_path / log.name).write_bytes(log.read_bytes())
        assert tail(log.name).run_once().data.decode() == log.read_bytes().decode("utf-16")

    assert len(logs) >= 3


def test_an_encoding_nobody_knows_is_refused():
    with pytest.raises(
        ValueError, match="'klingon' is no encoding that is known here: write auto, or a name"
    ):
        FileConfig(paths=["a"], encoding="klingon")
    with pytest.raises(ValueError, match="'cp037' does not end lines with a line feed"):
        FileConfig(paths=["a"], encoding="cp037")


@pytest.mark.parametrize("name", ["utf-8", "UTF8", "ascii"])
def test_utf_8_is_passed_on_as_it_is(name):
    assert named(name).decode(b"caf\xe9") == b"caf\xe9"


def test_stream_offsets_go_on_without_a_gap_and_positions_are_those_of_the_file(tmp_path, tail, append):
    log = tmp_path / "a.log"
    text = "".join(f"zeile {n} für 𠀀 {'ü' * (n % 50)}\n" for n in range(6_000))
    log.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    source = tail(start="beginning").start()
    source.wait(lambda: len(source.lines) == 6_000)
    append(log, "more\n".encode("utf-16-le"))
    source.wait(lambda: len(source.lines) == 6_001)

    batches = source.chunks
    assert len(batches) > 3
    assert all(a.offset + len(a.data) == b.offset for a, b in pairwise(batches))
    raw = log.read_bytes()
    for batch in batches:
        for (at, position), (end, after) in pairwise(batch.marks):
            piece = raw[position["offset"] : after["offset"]]
            assert piece.decode("utf-16-le").encode() == batch.data[at:end]


@pytest.mark.parametrize("encoding", ["utf-16-le", "cp1252"])
def test_a_restart_at_any_line_gives_the_same_stream_offsets(tmp_path, tail, encoding):
    log = tmp_path / "a.log"
    log.write_bytes("".join(f"zeile {n} für\n" for n in range(300)).encode(encoding))
    first = tail(start="beginning", encoding=encoding).run_once()
    batch = first.chunks[0]
    byte = batch.data.index(b"zeile 200")

    first.positions[batch.stream] = batch.position_at(byte)
    first.batches.clear()
    first.run_once()

    again = first.chunks[0]
    assert again.offset == batch.offset + byte
    assert batch.data[byte:] == again.data


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "gb18030"])
def test_an_event_in_decoded_text_names_its_bytes_in_the_file(tmp_path, encoding):
    trace = 'ERROR 处理失败 {n}\nTraceback (most recent call last):\n  File "订单.py", line 3\nValueError: 库存 {n}\n'
    lines = [f"INFO 订单 {n}\n" * (n % 40) + trace.format(n=n) for n in range(300)]
    raw = "".join([*lines, "INFO 完\n"]).encode(encoding)
    pipeline = "pipelines: {{p: {{sources: [{{uses: file, with: {{paths: [a.log], start: beginning, encoding: {}}}}}]}}}}"

    run = run_pipeline(pipeline.format(encoding), {"a.log": raw}, tmp_path)

    assert len(run.events) > 20
    for event in run.events:
        assert raw[event.start : event.end].decode(encoding) == event.block


def test_ascii_in_a_legacy_encoding_can_be_restarted_at_every_byte(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes("für\n".encode("cp1252"))
    source = tail(start="beginning", encoding="cp1252").run_once()
    append(log, "one\ntwo\n")
    source.run_once()

    batch = source.chunks[-1]
    position = batch.position_at(4)
    assert (position["offset"], position["drift"], batch.offset) == (8, 1, 5)
    assert batch.places == ((0, 4),)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe" + b"\0" * 50_000 + b"one\ntwo\n",
        b"\xff\xfe\0\0\0" + b"one\ntwo\n",
        b"\xff\xfe" + b"one\ntwo\n" * 200,
        b"\xfe\xff stray bytes\none\ntwo\n",
        b"\xff\xfeone\ntwo\n",
    ],
    ids=["a hole", "a few zeros", "plain text", "big-endian", "little text"],
)
def test_a_mark_that_is_none_hides_no_line(tmp_path, tail, content):
    (tmp_path / "a.log").write_bytes(content)

    source = tail(start="beginning").start()

    source.wait(lambda: b"one\ntwo\n" in source.data)


def test_a_mark_before_binary_junk_is_told(tmp_path, tail):
    (tmp_path / "a.log").write_bytes(b"\xff\xfe" + bytes(range(1, 20)) * 20 + b"\none\n")

    source = tail("*.log", start="beginning").start()

    source.wait(lambda: source.messages)
    assert source.messages == [
        f"{tmp_path}/a.log: begins with bytes that are no text; it is skipped. Name it by its own path to read "
        "it all the same, or leave it out by the exclude setting."
    ]


def test_utf_16_without_a_mark_is_known_by_its_zero_bytes(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_bytes("\ufeffold line, long enough\n".encode("utf-16-le"))
    source = tail("a.log", start="beginning").start()
    source.wait_for("old line, long enough")

    log.write_bytes("new after a truncation\n".encode("utf-16-le"))

    source.wait_for("old line, long enough", "new after a truncation")


def test_an_over_long_line_of_utf_16_is_cut_between_two_characters(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_bytes(("\ufeff" + "ü" * 700_000 + "\nlast\n").encode("utf-16-le"))

    source = tail(start="beginning").start()

    source.wait(lambda: source.data.endswith(b"last\n"))
    head, last = source.chunks
    assert head.data.decode() == "ü" * (1 << 19) + "\n"
    assert head.attributes == {"truncated": "true", "original_bytes": "1400000"}
    assert last.offset > head.offset + len(head.data)


def test_a_hole_before_utf_16_is_dropped(tmp_path, tail):
    log = tmp_path / "a.log"
    with log.open("wb") as file:
        file.truncate(10_000)
        file.seek(10_000)
        file.write("one line after a hole\n".encode("utf-16-be"))

    source = tail(start="beginning").start()

    source.wait_for("one line after a hole")


def test_case_34_a_character_split_over_two_writes_stays_whole(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"")
    source = tail().start()
    raw = "grüße 😀\n".encode()

    for n in range(len(raw)):
        append(log, raw[n : n + 1])

    source.wait_for("grüße 😀")
    assert source.data == raw


def test_the_settings_name_an_encoding_or_auto():
    assert FileConfig(paths=["a"]).preset is None
    assert FileConfig(paths=["a"], encoding="utf_16").preset.name == "utf-16-le"
