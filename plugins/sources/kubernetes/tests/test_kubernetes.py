"""The kubernetes source, on directories as the kubelet makes them."""

from textwrap import dedent

import pytest
from aiops_source_kubernetes.source import pod_of

from aiops_core.testing.pipeline import run_pipeline

TRACE = [
    "java.lang.IllegalStateException: no stock",
    "\tat com.acme.Shop.sell(Shop.java:12)",
    "\tat com.acme.Main.main(Main.java:3)",
]
ID = "ab" * 32


def line(text, stream="stderr", tag="F"):
    return f"2026-11-21T07:00:00.123456789Z {stream} {tag} {text}\n"


@pytest.fixture
def pod(tmp_path):
    real = tmp_path / "pods" / "shop_checkout-7d9f_0b1c" / "app"
    real.mkdir(parents=True)
    links = tmp_path / "containers"
    links.mkdir()
    (links / f"checkout-7d9f_shop_app-{ID}.log").symlink_to(real / "0.log")
    return real / "0.log"


def run(tmp_path, extra="", folder="containers/*.log"):
    return run_pipeline(
        dedent(f"""
        pipelines:
          p:
            policy: {{max_age: 36500d}}
            sources:
              - uses: kubernetes
                with: {{paths: ["{tmp_path}/{folder}"]{extra}}}
        """),
        {},
        tmp_path,
    )


def test_case_64_a_java_trace_in_cri_lines_is_one_event_that_names_its_pod(pod, tmp_path):
    pod.write_text(line("up", "stdout") + "".join(map(line, TRACE)) + line("on", "stdout"))

    (incident,) = run(tmp_path).incidents

    event = incident.event
    assert (event.language, event.message, len(event.frames)) == ("java", "no stock", 2)
    wanted = {"pod": "checkout-7d9f", "namespace": "shop", "container": "app", "container_id": ID[:12]}
    assert event.attributes | wanted == dict(event.attributes)


def test_case_63_partials_are_joined_per_stream_whatever_flags_the_tag_has(pod, tmp_path):
    pod.write_text(
        line("ERROR: one ", "stdout", "P")
        + line("ERROR: two ", "stderr", "P")
        + line("and ", "stdout", "P")
        + line("", "stderr", "F")
        + line("more", "stdout", "F:x")
    )

    found = {incident.event.message for incident in run(tmp_path).incidents}

    assert found == {"one and more", "two"}


def test_case_65_a_partial_before_a_restart_is_not_joined_with_the_next_file(pod, tmp_path):
    pod.write_text(line("ERROR: lost", tag="P"))
    (pod.parent / "1.log").write_text(line("ERROR: fresh"))

    events = [incident.event for incident in run(tmp_path, folder="pods/*/*/*.log").incidents]

    assert {event.message: event.attributes.get("partial") for event in events} == {
        "lost": "true",
        "fresh": None,
    }


def test_only_the_named_namespaces_are_read(pod, tmp_path):
    pod.write_text("".join(map(line, TRACE)))

    assert run(tmp_path, ", namespaces: [shop]").incidents


def test_the_logs_of_other_namespaces_are_left_out(pod, tmp_path):
    pod.write_text("".join(map(line, TRACE)))

    assert not run(tmp_path, ", namespaces: [other]").incidents


@pytest.mark.parametrize(
    ("path", "pod"),
    [
        (f"/var/log/containers/a-1_ns_app-x-{ID}.log", ("a-1", "ns", "app-x")),
        ("/var/log/pods/ns_a-1_uid/app/3.log.20261121-070000", ("a-1", "ns", "app")),
    ],
)
def test_a_path_names_the_pod(path, pod):
    found = pod_of(path)

    assert (found["pod"], found["namespace"], found["container"]) == pod


def test_any_other_path_names_nobody():
    assert pod_of("/var/log/syslog") == {}
