"""What Flutter prints of errors, and what loggers draw round them, becomes events."""

import random

import pytest
from aiops_detector_dart import DartErrors

from aiops_core.testing.detecting import find

REPORT = """\
Unhandled exception:
Bad state: no stock
#0      Basket.total (package:shop/src/basket.dart:31:7)
#1      Iterable.fold (dart:core/iterable.dart:310:22)
#2      main (file:///srv/shop/bin/serve.dart:12:3)
"""
BOX = """\
══╡ EXCEPTION CAUGHT BY WIDGETS LIBRARY ╞═══════════════════════════════════════════════════════════
The following FormatException was thrown building PriceTag(dirty, state: _PriceTagState#1f2c3):
Unexpected character (at character 1)
x12
^

The relevant error-causing widget was:
  PriceTag PriceTag:file:///home/eva/shop/lib/basket_page.dart:43:12

When the exception was thrown, this was the stack:
#0      int.parse (dart:core-patch/integers_patch.dart:47:5)
#1      StatelessElement.build (package:flutter/src/widgets/framework.dart:5550:49)
...     Normal element mounting (24 frames)
#26     Element.inflateWidget (package:flutter/src/widgets/framework.dart:4182:16)
(elided 3 frames from class _AssertionError and dart:async)

════════════════════════════════════════════════════════════════════════════════════════════════════
"""
LOGGER_BOX = """\
┌───────────────────────────────────────────────────────────────────
│ FormatException: Invalid price
├┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
│ #0   Basket.total (package:shop/src/basket.dart:31:7)
│ #1   main (package:shop/main.dart:12:3)
├┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
│ ⛔ the basket could not be counted
└───────────────────────────────────────────────────────────────────
"""


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize("report", [BOX, LOGGER_BOX])
def test_a_box_is_one_event_however_it_arrives(report, step):
    first, second = find(DartErrors(), text=f"before\n{report}after\n{report}", step=step)

    assert (first.text, second.text) == (report, report)


def test_a_box_tells_what_was_thrown_and_which_widget_is_blamed():
    (found,) = find(DartErrors(), text=BOX)

    assert found.event.type == "FormatException"
    assert found.event.message == "Unexpected character (at character 1)\nx12\n^"
    assert [(frame.function, frame.line) for frame in found.event.frames if frame.in_app] == [
        ("PriceTag", 43)
    ]


@pytest.mark.parametrize("prefix", ["flutter: ", "I/flutter ( 5175): ", "I/flutter (15175): "])
@pytest.mark.parametrize("report", [BOX, REPORT])
def test_the_name_of_the_program_may_stand_before_every_line(report, prefix):
    drawn = "".join(f"{prefix}{line}\n" for line in report.splitlines())

    (found,) = find(DartErrors(), text=f"{drawn}I/other ( 99): after\n")
    (plain,) = find(DartErrors(), text=report)

    assert found.text == drawn
    assert (found.event.type, found.event.message) == (plain.event.type, plain.event.message)
    assert [frame.function for frame in found.event.frames] == [
        frame.function for frame in plain.event.frames
    ]


def test_a_box_as_editors_draw_it_and_those_after_it_are_events_of_their_own():
    text = (
        "════════ Exception caught by image resource service ════════════════════════════════════════\n"
        "The following NetworkImageLoadException was thrown resolving an image codec:\n"
        "HTTP request failed, statusCode: 404, https://cdn.example/x.png\n"
        "════════════════════════════════════════════════════════════════════════════════════════════\n"
        "Another exception was thrown: A RenderFlex overflowed by 42 pixels on the right.\n"
    )

    box, other = find(DartErrors(), text=text)

    assert (box.event.type, box.start, box.end) == ("NetworkImageLoadException", 0, 4)
    assert box.event.message == "HTTP request failed, statusCode: 404, https://cdn.example/x.png"
    assert (other.event.type, other.event.message) == (
        "Error",
        "A RenderFlex overflowed by 42 pixels on the right.",
    )


@pytest.mark.parametrize("prefix", ["", "E/flutter ( 5175): "])
def test_the_engine_tells_of_an_error_nobody_caught(prefix):
    report = (
        "[ERROR:flutter/runtime/dart_vm_initializer.cc(41)] Unhandled Exception: MissingPluginException(No implementation)\n"
        + REPORT.partition("no stock\n")[2]
    )
    text = "".join(f"{prefix}{line}\n" for line in report.splitlines())

    (found,) = find(DartErrors(), text=f"{text}D/other ( 12): after\n")

    assert found.event.type == "MissingPluginException"
    assert found.text == text
    assert len(found.event.frames) == 3


def test_a_message_of_a_logger_with_a_stack_but_no_error_is_none():
    lines = LOGGER_BOX.splitlines(keepends=True)

    assert find(DartErrors(), text="".join([lines[0], *lines[3:]])) == []


def test_damaged_boxes_raise_nothing():
    chance = random.Random(1)
    for report in [BOX, LOGGER_BOX] * 8:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(DartErrors(), text="".join(lines)[: chance.randrange(len(report))])
