from __future__ import annotations

import re
import subprocess
import sys

from tests.serving import ROOT

SAYS = """
import logging, sys
from core.process.logs import start_logging

start_logging("info", *sys.argv[1:])
log = logging.getLogger("pawl")
log.info("Iris: v1 is live")
log.warning("two lines\\n12:00 ERROR forged\\r\\x1b[2J")
log.warning("a traceback\\n  in a file\\n    its line\\n        deeper")
log.debug("not asked for")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("a failure")
logging.getLogger("uvicorn").critical("another's")
"""
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (INFO |WARN |ERROR) (.*)")


def said(*who: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", SAYS, *who], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stderr.splitlines()


def test_a_line_has_its_date_with_the_zone_and_its_level_and_what_follows_is_indented() -> None:
    found = [LINE.fullmatch(line) for line in said()]
    assert [match and match.groups() for match in found if match] == [
        ("INFO ", "Iris: v1 is live"),
        ("WARN ", "two lines"),
        ("WARN ", "a traceback"),
        ("ERROR", "a failure"),
        ("ERROR", "another's"),
    ]
    others = [line for line in said() if not LINE.fullmatch(line)]
    assert others[0] == "    12:00 ERROR forged\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2J"
    assert others[1:4] == ["      in a file", "        its line", "            deeper"]
    assert others[4] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in others)


def test_another_process_says_who_it_is_in_the_same_format() -> None:
    match = LINE.fullmatch(said("gateway 7")[0])
    assert match is not None
    assert match[2] == "gateway 7: Iris: v1 is live"
