"""Corner cases 81 to 84: what Node and browsers print when something fails."""

import pytest
from corner_scene import chain, only, places

NODE_INTERNALS = """\
    at Module._compile (node:internal/modules/cjs/loader:1554:14)
    at Object..js (node:internal/modules/cjs/loader:1706:10)
    at Module.load (node:internal/modules/cjs/loader:1289:32)
    at Function._load (node:internal/modules/cjs/loader:1108:12)
    at TracingChannel.traceSync (node:diagnostics_channel:322:14)
    at node:internal/main/run_main_module:28:49
"""


def test_case_81_an_uncaught_node_error_is_one_event_of_sixteen_lines():
    text = f"""\
/srv/shop/pay.js:7
    throw new TypeError(`no card for ${{order}}`);
    ^

TypeError: no card for 7
    at charge (/srv/shop/pay.js:7:11)
    at checkout (/srv/shop/cart.js:41:3)
    at Object.<anonymous> (/srv/shop/app.js:3:1)
{NODE_INTERNALS}
Node.js v20.19.0
"""

    event = only(text)

    assert text.count("\n") == 16
    assert (event.type, event.message) == ("TypeError", "no card for 7")
    own = [(frame.function, frame.line) for frame in event.frames if frame.in_app]
    assert own[-2:] == [("checkout", 41), ("charge", 7)]


def test_case_82_a_node_error_with_properties_and_a_cause_is_one_event():
    event = only(
        """\
Error: cannot pay
    at pay (/srv/shop/pay.js:9:9)
    at node:internal/main/run_main_module:28:49 {
  code: 'E_PAY',
  order: { id: 7, lines: [ 'a', 'b' ] },
  [cause]: TypeError: no card
      at charge (/srv/shop/pay.js:3:9)
      at pay (/srv/shop/pay.js:7:5) {
    card: null
  }
}
""",
        after="next line\n",
    )

    assert chain(event) == [("raised", -1, "Error", "cannot pay"), ("cause", 0, "TypeError", "no card")]
    assert places(event)[1] == [("pay", 7), ("charge", 3)]


def test_case_82_a_node_aggregate_error_is_one_event():
    event = only(
        """\
AggregateError: All promises were rejected
    at async main (/srv/shop/app.js:5:3) {
  [errors]: [
    Error: no card
        at charge (/srv/shop/pay.js:3:9)
        at async main (/srv/shop/app.js:5:3),
    TypeError: no address
        at send (/srv/shop/post.js:8:9) {
      code: 'E_POST'
    }
  ]
}
""",
        after="next line\n",
    )

    assert chain(event) == [
        ("raised", -1, "AggregateError", "All promises were rejected"),
        ("member", 0, "Error", "no card"),
        ("member", 0, "TypeError", "no address"),
    ]


def test_case_83_a_node_assertion_with_a_difference_is_one_event():
    event = only(
        """\
node:assert:126
  throw new AssertionError(obj);
  ^

AssertionError [ERR_ASSERTION]: Expected values to be strictly deep-equal:
+ actual - expected

  {
+   total: 3
-   total: 4
  }

    at test (/srv/shop/cart.test.js:5:10)
    at node:internal/main/run_main_module:28:49 {
  generatedMessage: true,
  code: 'ERR_ASSERTION',
  actual: { total: 3 },
  expected: { total: 4 },
  operator: 'deepStrictEqual'
}

Node.js v20.19.0
"""
    )

    assert event.type == "AssertionError"
    assert event.message.startswith("Expected values to be strictly deep-equal:")
    assert ("test", 5) in places(event)[0]


def test_case_83_a_node_rejection_of_what_is_no_error_is_one_event():
    event = only(
        """\
node:internal/process/promises:394
      triggerUncaughtException(err, true /* fromPromise */);
      ^

[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a \
catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the \
reason "no card".] {
  code: 'ERR_UNHANDLED_REJECTION'
}

Node.js v20.19.0
"""
    )

    assert event.type == "UnhandledPromiseRejection"
    assert "no card" in event.message


@pytest.mark.parametrize(
    "frames",
    [
        """\
charge@https://shop.acme.example/pay.js:7:11
checkout@https://shop.acme.example/cart.js:41:3
@https://shop.acme.example/app.js:3:1
""",
        """\
charge@https://shop.acme.example/pay.js:7:11
[native code]
checkout@https://shop.acme.example/cart.js:41:3
global code@https://shop.acme.example/app.js:3:1
""",
    ],
    ids=["firefox", "safari"],
)
@pytest.mark.parametrize("head", ["TypeError: order is undefined", "Uncaught TypeError: order is undefined"])
def test_case_84_a_stack_without_a_header_belongs_to_the_message_before_it(head, frames):
    event = only(f"{head}\n{frames}")

    assert (event.type, event.message) == ("TypeError", "order is undefined")
    assert [place for place in places(event)[0] if place[1]][-2:] == [("checkout", 41), ("charge", 7)]
