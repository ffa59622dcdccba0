# SPDX-License-Identifier: GPL-3.0-or-later
"""A small TAP producer: checks that go on after a failure, and the servers' logs when something failed.

    import tap
    with tap.check("ORG-03: the core sees TCP/MSRP"):
        assert media.proto == "TCP/MSRP", media.proto
    with tap.need("the call is up"):       # a failure here ends the test file: nothing after it makes sense
        ...
    tap.finish()                            # prints the plan, stops the servers, exits
"""
import contextlib
import os
import sys
import traceback

sys.dont_write_bytecode = True
sys.stdout.reconfigure(line_buffering=True, errors="replace")

_state = {"count": 0, "failed": 0, "finished": False}
_reporters = []
_closers = []
LOG_LINES = 150


def on_failure(report):
    """Registers a function that returns [(name, text)] of logs worth showing when a check failed."""
    _reporters.append(report)


def on_finish(close):
    """Registers a function that tap.finish() calls before the plan; it may still run checks."""
    _closers.append(close)


def note(text):
    for line in str(text).splitlines() or [""]:
        print("# " + line)


def ok(passed, name, *details):
    """One result line; details are shown as diagnostics when it failed."""
    _state["count"] += 1
    name = " ".join(str(name).split()).replace("#", "\\#")
    print(f"{'ok' if passed else 'not ok'} {_state['count']} - {name}")
    if not passed:
        _state["failed"] += 1
        for detail in details:
            note(detail)
    return bool(passed)


def equal(got, want, name):
    return ok(got == want, name, f"got:  {got!r}", f"want: {want!r}")


def counts():
    """(passed, all) so far."""
    return _state["count"] - _state["failed"], _state["count"]


def failed():
    return _state["failed"] > 0


@contextlib.contextmanager
def check(name):
    """The block passes when it raises nothing; the test file goes on either way."""
    try:
        yield
    except Exception:
        ok(False, name, traceback.format_exc())
    else:
        ok(True, name)


@contextlib.contextmanager
def need(name):
    """As check(), but what follows depends on it: a failure ends the test file."""
    try:
        yield
    except Exception:
        ok(False, name, traceback.format_exc())
        finish()
    else:
        ok(True, name)


def finish():
    """Stops what is still running, shows the logs if anything failed, prints the plan and exits."""
    if _state["finished"]:
        return
    _state["finished"] = True
    for close in reversed(_closers):
        try:
            close()
        except Exception:
            ok(False, "the test cleans up", traceback.format_exc())
    if failed():
        for report in _reporters:
            for name, text in report():
                note(f"---- {name}")
                for line in text.splitlines()[-LOG_LINES:]:
                    print(f"# {name}| {line}")
    if _state["count"] == 0:
        ok(False, "the test file has checks")
    print(f"1..{_state['count']}")
    sys.stdout.flush()
    sys.exit(1 if failed() else 0)


def _excepthook(kind, value, trace):
    if _state["finished"] or issubclass(kind, SystemExit):
        sys.__excepthook__(kind, value, trace)
        return
    ok(False, "the test file runs to its end", "".join(traceback.format_exception(kind, value, trace)))
    try:
        finish()
    except SystemExit:
        sys.stdout.flush()
        os._exit(1)


sys.excepthook = _excepthook
