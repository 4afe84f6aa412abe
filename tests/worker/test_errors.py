from __future__ import annotations

import pytest

from core.error_codes import ERROR_CODES
from worker.errors import RequestFailed


def kinds() -> list[type[RequestFailed]]:
    return [RequestFailed, *RequestFailed.__subclasses__()]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_a_workers_errors_have_a_code_of_the_one_table_and_its_status(kind: type[RequestFailed]) -> None:
    line = ERROR_CODES[kind.code]
    if line.last_status is None:
        assert kind.status == line.status


def test_no_class_derives_from_one_of_them() -> None:
    assert not [deeper for kind in RequestFailed.__subclasses__() for deeper in kind.__subclasses__()]
