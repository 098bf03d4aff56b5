"""Reloads of a running responder, and files that are exchanged under it."""
import shutil
import signal

from processes import give, wait_for

DONE, REFUSED = "was reloaded", "was not reloaded"


def text(front):
    return front.responder.text()


def reload(front, ends=DONE):
    """SIGHUP to the master; returns when the reload has ended as it should."""
    before = text(front).count(ends)
    front.responder.process.send_signal(signal.SIGHUP)
    wait_for(lambda: text(front).count(ends) > before, f"'{ends}' in the log")


def reload_whole(front, n=2):
    """The same, and the workers before the reload are gone, and n new ones are there: whoever is asked now has the new configuration."""
    before = set(front.responder.workers())
    reload(front)
    wait_for(lambda: len(w := front.responder.workers()) == n and not before & set(w), f"{n} new workers")


def put(path, source):
    """A copy of `source` at `path`, in one step, as a deployment tool puts it there."""
    new = path.with_name(path.name + ".new")
    shutil.copy(source, new)
    new.chmod(0o600 if path.suffix == ".key" else 0o644)
    give(new)
    new.rename(path)
    return path
