import threading
import urllib.request
from contextlib import contextmanager, suppress

from aiops_source_http import HttpSource

from aiops_core.testing import Bench, contract


def post(source, unwanted=b""):
    try:
        url = f"http://127.0.0.1:{source.address.port}/"
    except (AttributeError, OSError):
        return  # it was told to stop already
    headers = {"Content-Type": "text/plain"}
    if token := source.config.token:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    request = urllib.request.Request(url, unwanted + b"one\ntwo\n", headers, method="POST")
    with suppress(OSError), urllib.request.urlopen(request, timeout=5):
        pass  # a source that is told to stop answers nobody


def send(*what):
    threading.Thread(target=post, args=what, daemon=True).start()


@contextmanager
def receiver(directory):
    yield Bench({"listen": "127.0.0.1:0"}, directory=directory, feed=send, last=b"two\n", send=send)


test_contract = contract(HttpSource, receiver)
