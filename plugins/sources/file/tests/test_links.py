"""Symbolic links as container runtimes make them."""

import gzip
import time

import pytest


class Pod:
    """One container's log as a kubelet keeps it."""

    def __init__(self, root):
        self.link = root / "containers" / "shop-1_prod_app-0123.log"
        self.log = root / "pods" / "prod_shop-1_uid" / "app" / "0.log"
        for path in (self.link, self.log):
            path.parent.mkdir(parents=True)
        self.log.write_text("")
        self.link.symlink_to(self.log)

    def write(self, *lines):
        with self.log.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def rotate(self, time):
        rotated = self.log.with_name(f"0.log.{time}")
        self.log.rename(rotated)
        self.log.write_text("")
        return rotated


def compress(path):
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


@pytest.fixture
def pod(tmp_path):
    return Pod(tmp_path)


def test_case_23_a_container_log_loses_and_repeats_nothing_in_its_rotations(pod, tail):
    pod.write("1", "2")
    source = tail("containers/*.log", start="beginning").start()
    source.wait_for("1", "2")

    rotated = pod.rotate("20260131-120000")
    with rotated.open("a") as late:
        late.write("3\n")
    pod.write("4")
    source.wait_for("1", "2", "3", "4")
    compress(rotated)
    pod.rotate("20260131-120010")
    pod.write("5")

    source.wait_for("1", "2", "3", "4", "5")
    assert {batch.path for batch in source.chunks if batch.stream == source.streams[-1]} == {str(pod.link)}


@pytest.mark.parametrize("is_compressed", [False, True])
def test_case_23_container_logs_rotated_while_stopped_are_all_read(pod, tail, is_compressed):
    pod.write("1")
    source = tail("containers/*.log", start="beginning").start()
    source.wait_for("1")
    source.stop()

    pod.write("2")
    first = pod.rotate("20260131-120000")
    pod.write("3")
    pod.rotate("20260131-120010")
    pod.write("4")
    if is_compressed:
        time.sleep(0.1)  # a kubelet compresses long after
        compress(first)
    source.start()

    source.wait_for("1", "2", "3", "4")


def test_case_23_a_write_behind_a_link_wakes_the_source(pod, tail, monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 60.0)
    source = tail("containers/*.log", start="beginning").start()

    pod.write("1")
    source.wait_for("1", seconds=2)
    pod.rotate("20260131-120000")
    pod.write("2")

    source.wait_for("1", "2", seconds=2)


def test_a_chain_of_links_is_followed_to_its_end(tmp_path, tail, append, monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 60.0)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    log = tmp_path / "c" / "end.log"
    log.write_text("")
    (tmp_path / "b" / "middle.log").symlink_to("../c/end.log")
    (tmp_path / "a" / "begin.log").symlink_to(tmp_path / "b" / "middle.log")
    source = tail("a/*.log").start()

    append(log, "1\n")
    source.wait_for("1", seconds=2)
    (tmp_path / "c" / "other.log").write_text("2\n")
    (tmp_path / "b" / "new").symlink_to("../c/other.log")
    (tmp_path / "b" / "new").rename(tmp_path / "b" / "middle.log")

    source.wait_for("1", "2", seconds=2)


def test_links_in_a_circle_are_no_trouble(tmp_path, tail):
    (tmp_path / "a.log").symlink_to("b.log")
    (tmp_path / "b.log").symlink_to("a.log")
    (tmp_path / "c.log").write_text("1\n")

    source = tail(start="beginning").start()

    source.wait_for("1")


def test_what_is_unread_where_a_link_led_before_is_read_though_its_handle_was_needed(
    tmp_path, steps, monkeypatch
):
    monkeypatch.setattr("aiops_source_file.follower._handle_limit", lambda: 1)
    old = b"".join(b"old %012d\n" % number for number in range(100_000))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "0.txt").write_bytes(old)
    (tmp_path / "data" / "1.txt").write_bytes(b"new\n")
    (tmp_path / "b.log").write_bytes(old)
    link = tmp_path / "a.log"
    link.symlink_to("data/0.txt")
    source = steps(paths=["*.log"], start="beginning", rotate_wait="0s")
    while not source.data:
        source.read()

    (tmp_path / "other").symlink_to("data/1.txt")
    (tmp_path / "other").rename(link)
    source.look()
    while len(source.data) < 2 * len(old) + 4 and not source.messages:
        source.read()

    assert source.messages == []
    assert sorted(source.data.splitlines()) == sorted([*(2 * old.splitlines()), b"new"])
