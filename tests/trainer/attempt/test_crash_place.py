from __future__ import annotations

from trainer.attempt.crash_place import crash_place

DUMP = """step 3
Thread 0x00007f01 (most recent call first):
  File "/code/Iris/other.py", line 9 in wait

Current thread 0x00007f02 (most recent call first):
  File "/usr/lib/python3/ctypes/__init__.py", line 5 in string_at
  File "/code/{file}", line 7 in call
  File "/code/Iris/train.py", line 2 in train
"""


def test_the_innermost_line_of_the_authors_in_the_thread_that_crashed_is_told() -> None:
    assert crash_place(DUMP.format(file="Iris/lib/deep.py"), "/code/Iris", "/code") == "lib/deep.py, line 7"
    assert crash_place(DUMP.format(file="common/text.py"), "/code/Iris", "/code") == "common/text.py, line 7"


def test_where_nothing_says_so_there_is_none() -> None:
    assert crash_place("", "/code/Iris", "/code") == ""
    assert crash_place('  File "/code/Iris/train.py", line 2 in train\n', "/code/Iris", "/code") == ""
    assert crash_place(DUMP.replace("/code", "/else"), "/code/Iris", "/code") == ""
