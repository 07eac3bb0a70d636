"""The program's own log: lines, secrets, rotation, file modes."""

import io
import json
import logging
import os
import re
import sys
import urllib.parse
from base64 import b64encode

import pytest

from aiops_core.errors import UserError
from aiops_core.logs import configure
from aiops_core.settings import Logging


@pytest.fixture(autouse=True)
def logger_as_it_was():
    logger = logging.getLogger("aiops")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    for handler in set(logger.handlers) - set(handlers):
        handler.close()
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate


@pytest.fixture
def stream():
    return io.StringIO()


def mode(path):
    return oct(path.stat().st_mode & 0o777)


def test_a_text_line_has_time_level_logger_and_message(tmp_path, stream):
    configure(Logging(), directory=tmp_path, stream=stream)

    logging.getLogger("aiops.shop.email").warning("%d mails wait", 3)

    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING aiops\.shop\.email: 3 mails wait\n"
    assert re.fullmatch(pattern, stream.getvalue())


def test_a_json_line_has_fields_and_what_was_given_as_extra(tmp_path, stream):
    configure(Logging(format="json"), directory=tmp_path, stream=stream)

    logging.getLogger("aiops").info("position kept", extra={"pipeline": "shop", "bytes": 7, "path": tmp_path})

    line = json.loads(stream.getvalue())
    time = line.pop("time")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert line == {
        "level": "info",
        "logger": "aiops",
        "message": "position kept",
        "pipeline": "shop",
        "bytes": 7,
        "path": str(tmp_path),
    }


def test_less_than_the_level_is_not_logged(tmp_path, stream):
    configure(Logging(level="error"), directory=tmp_path, stream=stream)

    logging.getLogger("aiops").warning("quiet")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize(
    "evil", ["a\nb", "a\r\nb", "\x1b[2Jb", "a\u2028b", "a\x00b", "\u202eb", "\x9bb", "\ud800"]
)
def test_a_log_line_stays_one_line_without_control_characters(tmp_path, stream, format, evil):
    configure(Logging(format=format, file="own.log"), directory=tmp_path, stream=stream)

    logging.getLogger("aiops").info("said %s", evil)

    written = (tmp_path / "own.log").read_text()
    assert written == stream.getvalue()
    assert len(written.splitlines()) == 1
    assert written.endswith("\n")
    assert not set(written[:-1]) & set("\n\r\x1b\u2028\x00\u202e\x9b\ud800")


def test_an_exception_is_marked_lines_in_text_so_that_it_cannot_pose_as_a_log_line(tmp_path, stream):
    configure(Logging(), directory=tmp_path, stream=stream)

    try:
        raise ValueError("\x1b[2J\rbad\n2026-01-01T00:00:00.000Z INFO    aiops: all is well")
    except ValueError:
        logging.getLogger("aiops").exception("step failed")

    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("ERROR   aiops: step failed")
    assert rest[0] == "    | Traceback (most recent call last):"
    assert rest[-2] == r"    | ValueError: \x1b[2J\rbad"
    assert rest[-1] == "    | 2026-01-01T00:00:00.000Z INFO    aiops: all is well"
    assert all(line.startswith("    | ") for line in rest)


def test_an_exception_is_one_field_in_json(tmp_path, stream):
    configure(Logging(format="json"), directory=tmp_path, stream=stream)

    try:
        raise ValueError("bad")
    except ValueError:
        logging.getLogger("aiops").exception("step failed")

    line = json.loads(stream.getvalue())
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: bad")


SECRET = "s3cr/t'+\nvälue"


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        repr(SECRET),
        json.dumps(SECRET),
        f"https://u:{urllib.parse.quote(SECRET, safe='')}@host/",
        b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_replaced_in_every_form_it_may_take(tmp_path, stream, format, shown):
    configure(
        Logging(format=format, file="own.log"), directory=tmp_path, secrets=[SECRET, "", "x"], stream=stream
    )

    try:
        raise RuntimeError(shown)
    except RuntimeError:
        logging.getLogger("aiops").exception("called %s", shown, extra={"address": shown})

    for written in (stream.getvalue(), (tmp_path / "own.log").read_text()):
        assert "***" in written
        assert "s3cr" not in written
        assert "lue" not in written.replace("value", "")
        assert b64encode(SECRET.encode()).decode()[:8] not in written


def test_a_secret_that_is_part_of_another_does_not_uncover_its_rest(tmp_path, stream):
    configure(Logging(), directory=tmp_path, secrets=["token", "token-and-more"], stream=stream)

    logging.getLogger("aiops").info("token-and-more")

    assert stream.getvalue().endswith("aiops: ***\n")


def test_a_message_whose_arguments_do_not_fit_is_logged_all_the_same(tmp_path, stream):
    configure(Logging(), directory=tmp_path, secrets=["hunter22"], stream=stream)

    logging.getLogger("aiops").info("%d mails", "hunter22")

    assert stream.getvalue().endswith("aiops: %d mails ('***',)\n")


def test_the_file_and_its_rotated_ones_are_for_their_owner_only(tmp_path, stream):
    old = os.umask(0)
    try:
        configure(Logging(file="logs/own.log", max_size=300, keep=2), directory=tmp_path, stream=stream)
        for number in range(30):
            logging.getLogger("aiops").info("line %d", number)
    finally:
        os.umask(old)

    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["own.log", "own.log.1", "own.log.2"]
    assert [mode(file) for file in files] == ["0o600"] * 3
    assert mode(tmp_path / "logs") == "0o700"
    assert all(file.stat().st_size <= 300 for file in files)
    assert "line 29" in files[0].read_text()


def test_a_file_that_was_open_to_all_is_closed_to_them(tmp_path, stream):
    file = tmp_path / "own.log"
    file.write_text("earlier\n")
    file.chmod(0o666)

    configure(Logging(file="own.log"), directory=tmp_path, stream=stream)
    logging.getLogger("aiops").info("later")

    assert mode(file) == "0o600"
    assert file.read_text().startswith("earlier\n")


def test_configuring_twice_replaces_the_first(tmp_path, stream):
    configure(Logging(file="first.log"), directory=tmp_path, stream=stream)
    second = io.StringIO()

    configure(Logging(file="second.log"), directory=tmp_path, stream=second)
    logging.getLogger("aiops").info("once")

    assert stream.getvalue() == ""
    assert (tmp_path / "first.log").read_text() == ""
    assert second.getvalue().count("once") == 1
    assert (tmp_path / "second.log").read_text().count("once") == 1


def test_handlers_of_others_stay_on_the_logger(tmp_path, stream):
    other = logging.NullHandler()
    logging.getLogger("aiops").addHandler(other)

    configure(Logging(), directory=tmp_path, stream=stream)

    assert other in logging.getLogger("aiops").handlers


def test_a_file_that_cannot_be_opened_is_the_users_mistake(tmp_path, stream):
    (tmp_path / "taken").write_text("")

    with pytest.raises(UserError) as caught:
        configure(Logging(file="taken/own.log"), directory=tmp_path, stream=stream)

    path = tmp_path / "taken/own.log"
    assert str(caught.value) == (
        f"logging.file: {path} cannot be opened (File exists). Name a file this user may write."
    )


def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path, stream, capsys):
    (tmp_path / "own.log").symlink_to("/dev/full")

    configure(Logging(file="own.log"), directory=tmp_path, stream=stream)
    logging.getLogger("aiops").info("one")
    logging.getLogger("aiops").info("two")

    assert stream.getvalue().count("\n") == 2
    told = capsys.readouterr().err
    assert told == (
        f"logging.file: {tmp_path / 'own.log'} cannot be written ([Errno 28] No space left on device). "
        "Free or repair the disk.\n"
    )


def test_a_stream_that_was_closed_stops_nothing(tmp_path, capsys):
    closed = io.StringIO()
    configure(Logging(), directory=tmp_path, stream=closed)
    closed.close()

    logging.getLogger("aiops").info("nobody hears")

    assert capsys.readouterr().err == ""


def test_the_stream_is_standard_error_when_none_is_given(tmp_path, capsys):
    configure(Logging(), directory=tmp_path)

    logging.getLogger("aiops").info("hello")

    assert capsys.readouterr().err.endswith("aiops: hello\n")
    assert sys.stdout is not sys.stderr
