"""When jobs run."""


def next_run(jobs, now):
    """Return the earliest time at which a job is due."""
    due = [job["at"] for job in jobs if job["at"] >= now]
    return min(due)


def runs_per_hour(seconds):
    """Return how often a job with this interval runs."""
    return 3600 // seconds


def label(job):
    """Return a job as the list shows it."""
    return f"{job['name']} at {job['at']}"
