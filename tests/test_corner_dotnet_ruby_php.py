"""Corner cases 91 to 93: what .NET, Ruby and PHP print when something fails."""

import json

import pytest
from corner_scene import chain, find, only, places

DOTNET_INNER = """\
Unhandled exception. Shop.CartException: cannot check out
 ---> System.InvalidOperationException: no card
   at Shop.Pay.Charge(Order order) in /src/Pay.cs:line 7
   at Shop.Pay.ChargeAsync(Order order) in /src/Pay.cs:line 19
--- End of stack trace from previous location ---
   at Shop.Cart.Checkout(Order order) in /src/Cart.cs:line 38
   --- End of inner exception stack trace ---
   at Shop.Cart.Checkout(Order order) in /src/Cart.cs:line 41
   at Shop.Program.Main(String[] args) in /src/Program.cs:line 9
"""


@pytest.mark.parametrize(
    "marker",
    [
        "--- End of stack trace from previous location ---",
        "--- End of stack trace from previous location where exception was thrown ---",
    ],
)
def test_case_91_a_dotnet_trace_with_an_inner_exception_is_one_event(marker):
    event = only(DOTNET_INNER.replace("--- End of stack trace from previous location ---", marker))

    assert chain(event) == [
        ("raised", -1, "Shop.CartException", "cannot check out"),
        ("cause", 0, "System.InvalidOperationException", "no card"),
    ]
    assert [line for _, line in places(event)[0]] == [9, 41]
    assert [line for _, line in places(event)[1]] == [38, 19, 7]


def test_case_91_a_dotnet_aggregate_is_one_event():
    event = only(
        """\
System.AggregateException: One or more errors occurred. (no card) (no address)
 ---> System.InvalidOperationException: no card
   at Shop.Pay.Charge() in /src/Pay.cs:line 7
   --- End of inner exception stack trace ---
   at Shop.Cart.Checkout() in /src/Cart.cs:line 41
 ---> (Inner Exception #1) System.ArgumentException: no address
   at Shop.Post.Send() in /src/Post.cs:line 8<---

 ---> (Inner Exception #2) System.TimeoutException: no answer
   at Shop.Bank.Ask() in /src/Bank.cs:line 5<---
""",
        after="\nINFO shop goes on\n",
    )

    kinds = {kind for _, _, kind, _ in chain(event)}
    assert event.type == "System.AggregateException"
    assert kinds == {
        "System.AggregateException",
        "System.InvalidOperationException",
        "System.ArgumentException",
        "System.TimeoutException",
    }


def test_case_91_a_german_dotnet_trace_is_one_event():
    event = only(
        """\
Unbehandelte Ausnahme: System.InvalidOperationException: Die Sequenz enthält keine Elemente. \
---> System.ArgumentException: Keine Karte
   bei Shop.Pay.Charge(Order order) in C:\\src\\Pay.cs:Zeile 7.
   --- Ende der internen Ausnahmestapelüberwachung ---
   bei Shop.Cart.Checkout(Order order) in C:\\src\\Cart.cs:Zeile 41.
   bei Shop.Program.Main(String[] args) in C:\\src\\Program.cs:Zeile 9.
"""
    )

    assert event.type == "System.InvalidOperationException"
    assert [line for _, line in places(event)[0]] == [9, 41]
    assert [kind for _, _, kind, _ in chain(event)][1] == "System.ArgumentException"


@pytest.mark.parametrize("quote", ["`", "'"], ids=["before 3.4", "3.4"])
def test_case_92_an_uncaught_ruby_exception_with_a_cause_is_one_event(quote):
    event = only(
        """\
/srv/shop/pay.rb:7:in `rescue in charge': cannot pay (Shop::PayError)
\tfrom /srv/shop/pay.rb:4:in `charge'
\tfrom /srv/shop/app.rb:3:in `<main>'
/srv/shop/pay.rb:5:in `charge': no card (ArgumentError)
\tfrom /srv/shop/app.rb:3:in `<main>'
""".replace("`", quote)
    )

    assert chain(event) == [
        ("raised", -1, "Shop::PayError", "cannot pay"),
        ("cause", 0, "ArgumentError", "no card"),
    ]
    assert [[line for _, line in frames] for frames in places(event)] == [[3, 4, 7], [3, 5]]


def test_case_92_a_ruby_exception_with_the_source_is_one_event():
    event = only(
        """\
/srv/shop/pay.rb:7:in 'Shop::Pay#charge': undefined method 'total' for nil (NoMethodError)

    order.total
         ^^^^^^
\tfrom /srv/shop/app.rb:3:in '<main>'
"""
    )

    assert (event.type, [line for _, line in places(event)[0]]) == ("NoMethodError", [3, 7])
    assert event.message.partition("\n")[0] == "undefined method 'total' for nil"


def test_case_92_a_ruby_message_of_many_lines_is_whole():
    event = only(
        """\
/srv/shop/pay.rb:7:in `charge': cannot pay: (RuntimeError)
no card
no address
\tfrom /srv/shop/app.rb:3:in `<main>'
"""
    )

    assert (event.type, event.message) == ("RuntimeError", "cannot pay:\nno card\nno address")


def test_case_92_a_ruby_trace_from_the_bottom_is_one_event():
    event = only(
        """\
Traceback (most recent call last):
\t2: from /srv/shop/app.rb:3:in `<main>'
\t1: from /srv/shop/cart.rb:41:in `checkout'
/srv/shop/pay.rb:7:in `charge': no card (ArgumentError)
"""
    )

    assert (event.language, event.type, event.message) == ("ruby", "ArgumentError", "no card")
    assert [line for _, line in places(event)[0]] == [3, 41, 7]


PHP = """\
{head} error: {gap}Uncaught Shop\\PayError: no card in /srv/shop/pay.php:7
Stack trace:
#0 /srv/shop/cart.php(41): charge(NULL)
#1 {{main}}
  thrown in /srv/shop/pay.php on line 7
"""


def test_case_93_the_two_copies_of_a_php_error_are_an_event_per_stream_of_one_incident():
    stderr = PHP.format(head="PHP Fatal", gap=" ")
    stdout = PHP.format(head="Fatal", gap="")

    one, other = only(stderr), only(stdout)

    assert one.type == other.type == "Shop\\PayError"
    assert one.message == other.message == "no card"
    assert one.fingerprint == other.fingerprint
    carried = "".join(
        json.dumps({"log": line + "\n", "stream": stream, "time": "2026-11-21T07:00:00Z"}) + "\n"
        for pair in zip(stderr.splitlines(), stdout.splitlines(), strict=True)
        for stream, line in zip(("stderr", "stdout"), pair, strict=True)
    )
    assert [event.fingerprint for event in find(carried)] == [one.fingerprint] * 2
