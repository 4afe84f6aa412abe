from __future__ import annotations

import json

from worker.errors import InvalidVariables
from worker.formats.codecs import CODECS
from worker.wire.frames import Format
from worker.wire.spans import TRACED


def test_every_format_that_a_gateway_may_name_has_a_codec() -> None:
    assert set(CODECS) == {*Format, *(format | TRACED for format in Format)}


def test_an_answer_and_an_error_are_written_in_the_form_of_the_body() -> None:
    codec = CODECS[Format.PAWL_JSON]
    assert json.loads(codec.join([codec.encode({"y": 1}), codec.encode({"y": 2})])) == [{"y": 1}, {"y": 2}]
    assert json.loads(codec.encode_error(InvalidVariables("no")))["error"]["code"] == "invalid_variables"
