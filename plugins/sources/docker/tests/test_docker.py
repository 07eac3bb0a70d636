"""The docker source, on directories as docker makes them."""

import json
from textwrap import dedent

import pytest
from aiops_source_docker import DockerConfig, DockerSource
from aiops_source_docker.source import container_of

from aiops_core.testing import SourceRun
from aiops_core.testing.pipeline import run_pipeline

TRACE = [
    "Traceback (most recent call last):",
    '  File "/app/shop.py", line 3, in sell',
    "    1 / 0",
    "ZeroDivisionError: division by zero",
]
ID = "4f" * 32


def record(text, stream="stderr", end="\n"):
    return json.dumps({"log": text + end, "stream": stream, "time": "2026-11-21T07:00:00.5Z"}) + "\n"


@pytest.fixture
def container(tmp_path):
    folder = tmp_path / "containers" / ID
    folder.mkdir(parents=True)
    config = {
        "Name": "/shop-1",
        "Config": {"Image": "shop:2", "Labels": {"com.docker.compose.service": "shop"}},
    }
    (folder / "config.v2.json").write_text(json.dumps(config))
    return folder / f"{ID}-json.log"


def run(tmp_path, extra=""):
    return run_pipeline(
        dedent(f"""
        pipelines:
          p:
            policy: {{max_age: 36500d}}
            sources:
              - uses: docker
                with: {{paths: ["{tmp_path}/containers/*/*-json.log"]{extra}}}
        """),
        {},
        tmp_path,
    )


def test_a_containers_traceback_is_one_event_that_names_the_container(container, tmp_path):
    container.write_text(record("up", "stdout") + "".join(map(record, TRACE)) + record("on", "stdout"))

    (incident,) = run(tmp_path).incidents

    event = incident.event
    assert (event.type, event.message) == ("ZeroDivisionError", "division by zero")
    assert event.attributes | {
        "container": "shop-1",
        "container_id": ID[:12],
        "image": "shop:2",
        "service": "shop",
        "stream": "stderr",
    } == dict(event.attributes)


def test_case_60_partials_of_both_streams_interleaved_are_joined_each(container, tmp_path):
    lines = [
        record("ERROR: aa", "stdout", end=""),
        record("ERROR: ee1", "stderr", end=""),
        record("bb", "stdout"),
        record("ee2", "stderr"),
    ]
    container.write_text("".join(lines))

    found = {incident.event.message for incident in run(tmp_path).incidents}

    assert found == {"aabb", "ee1ee2"}


def test_case_61_a_bad_time_and_a_line_that_is_no_record_stay_apart(container, tmp_path):
    bad = json.dumps({"log": "ERROR: x\n", "stream": "stderr", "time": "yesterday"}) + "\n"
    container.write_text(bad + "ERROR: not json\n" + record("ERROR: y"))

    found = {incident.event.message for incident in run(tmp_path).incidents}

    assert found == {"x", "not json", "y"}


def test_case_62_a_last_partial_that_is_never_completed_is_an_event_in_the_end(container, tmp_path):
    container.write_text(record("ERROR: cut", end=""))

    (incident,) = run(tmp_path).incidents

    assert incident.event.message == "cut"
    assert incident.event.attributes["partial"] == "true"


def test_only_the_named_containers_are_read(container, tmp_path):
    container.write_text("".join(map(record, TRACE)))

    assert run(tmp_path, ", containers: [shop-1]").incidents
    assert not run(tmp_path, ", containers: [other], rotate_wait: 1s").incidents[1:]


def test_a_container_without_a_readable_description_is_known_by_its_id(tmp_path):
    assert container_of(tmp_path / f"{ID}-json.log") == {"container_id": ID[:12]}


def test_it_reads_where_docker_writes_unless_told_otherwise():
    assert DockerSource().config.paths == ["/var/lib/docker/containers/*/*-json.log"]


@pytest.fixture
def followed(tmp_path, container):
    """Follow a container of which only one name is wanted."""
    source = SourceRun(
        lambda context: DockerSource(
            DockerConfig(paths=["containers/*/*-json.log"], containers=["shop-1"], start="beginning"), context
        ),
        tmp_path,
        name="docker",
    )
    yield source
    source.stop()


def test_a_container_whose_name_is_told_late_is_left_out_until_then_and_that_is_said(container, followed):
    config = container.parent / "config.v2.json"
    said = config.read_text()
    config.unlink()
    container.write_text(record("before"))
    followed.start()
    followed.wait(lambda: followed.messages)

    config.write_text(said)
    with container.open("a") as log:
        log.write(record("after"))

    followed.wait(lambda: followed.lines)
    assert [json.loads(line)["log"] for line in followed.lines] == ["after\n"]
    assert followed.messages == [
        f"docker: {container} is left out as long as nobody knows whose it is: the file config.v2.json beside it "
        "is not there or may not be read. Let aiops read it, or leave out 'containers'."
    ]
