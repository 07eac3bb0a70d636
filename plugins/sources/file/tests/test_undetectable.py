"""What nobody can detect: the documented behaviour of the file source in such cases."""

import os


def test_case_15_a_rewrite_with_the_same_bytes_is_no_news(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\n2\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1", "2")
    source.stop()

    log.write_text("1\n2\n")
    source.start()
    append(log, "3\n")

    source.wait_for("1", "2", "3")
    assert source.messages == []


def test_case_15_a_rewrite_that_is_seen_while_the_file_is_empty_is_read_again(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n2\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1", "2")

    log.write_text("")
    follower = source.component._follower
    source.wait(lambda: follower._live.at_path[str(log)].offset == 0)
    log.write_text("1\n2\n")

    source.wait_for("1", "2", "1", "2")


def test_case_16_a_rewrite_with_the_same_bytes_before_the_offset_goes_on_there(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("HEADER\n1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("HEADER", "1")
    source.stop()

    log.write_text("HEADER\n1\n2\n3\n")
    source.start()

    source.wait_for("HEADER", "1", "2", "3")
    assert source.messages == []


def test_case_18_a_reused_inode_with_the_same_bytes_goes_on_at_the_offset(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("HEADER\n1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("HEADER", "1")
    source.stop()

    inode = log.stat().st_ino
    other = tmp_path / "b"
    os.link(log, other)
    log.unlink()
    other.write_text("HEADER\n1\nother file\n")  # what a file system does that gives the number away again
    other.rename(log)
    assert log.stat().st_ino == inode
    source.start()

    source.wait_for("HEADER", "1", "other file")
