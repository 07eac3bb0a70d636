import unittest

from scheduler.times import label, next_run, runs_per_hour


class Times(unittest.TestCase):
    def test_the_earliest_is_next(self):
        self.assertEqual(next_run([{"at": 9}, {"at": 5}, {"at": 1}], 3), 5)

    def test_a_job_of_now_is_due(self):
        self.assertEqual(next_run([{"at": 3}], 3), 3)

    def test_runs_per_hour(self):
        self.assertEqual(runs_per_hour(600), 6)

    def test_label(self):
        self.assertEqual(label({"name": "mail", "at": 5}), "mail at 5")
