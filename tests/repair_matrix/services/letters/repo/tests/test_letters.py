import unittest

from api.utils import first_line
from api.utils import words as api_words
from web.utils import slug
from web.utils import words as web_words


class Letters(unittest.TestCase):
    def test_first_line(self):
        self.assertEqual(first_line("Dear all,\nhello"), "Dear all,")

    def test_slug(self):
        self.assertEqual(slug("Dear All"), "dear-all")

    def test_words(self):
        self.assertEqual((api_words("a b"), web_words("a b")), (["a", "b"], 2))
