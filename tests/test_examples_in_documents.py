"""A trace that a document shows was not raised."""

import pytest
from corner_scene import PLAIN, PYTHON, find

SHOWN = "".join(f"    {line}\n" for line in PYTHON.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        f"The interpreter prints something like this::\n\n{SHOWN}\nThe caller may catch it.\n",
        f"Running it shows:\n\n.. code-block:: pytb\n\n{SHOWN}\nAs one sees.\n",
        f"1. Start the server. If the port is taken you will see\n\n{SHOWN}\n2. Choose another port.\n",
        f"Details::\n\n{SHOWN}",
        f"```python {{linenos=true}}\n{PYTHON}```\n",
        f".Output\n----\n{PYTHON}----\n",
        f"```console\n$ shop checkout\n\nloading the cart\n{PYTHON}```\n",
        f'<p>It prints</p>\n<pre class="screen">\nloading the cart\n{PYTHON}</pre>\n',
        f"To run it::\n\n    $ shop checkout\n    loading the cart\n\n{SHOWN}\nAs one sees.\n",
        "ERROR = 4\nFATAL   = logging.FATAL\n",
        "[`'error'`]: events.md\n[error]: #error-events\n",
        "##\n# Fatal include error.\n\nclass Fatal(SyntaxError):\n",
    ],
)
def test_a_trace_that_a_document_shows_is_no_event(text):
    assert find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{PLAIN}the job could not be done\n\n{SHOWN}",
        f"failures:\n\n{SHOWN}",
        f"the job could not be done\n{SHOWN}",
        f"```python\nprint(1)\n```\n{PYTHON}",
        f"<pre>listing</pre>\n{PYTHON}",
        f"    self.run()\n    ~~~~~~~~^^\nto run\n{PYTHON}",
        f"```python\n{PLAIN}2026-11-21 07:00:00 INFO shop up\n{PYTHON}",
        f"Running ExUnit with seed: 7 and\n\n  1) test greets\n{SHOWN}",
        f"----\n{PYTHON}INFO shop goes on\n",
        f"the job could not be done\n\n{PYTHON}",
    ],
)
def test_a_trace_that_a_program_printed_is_an_event(text):
    (event,) = find(text)

    assert event.type == "shop.errors.CardRefused"
