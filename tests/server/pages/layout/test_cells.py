from __future__ import annotations

from server.pages.layout.cells import rows


def test_heads_and_numbers_become_rows_and_stay_text() -> None:
    assert rows([("12:00", ("1 ms", "<2")), ("12:15", ("3 ms", "4 ms"))]) == (
        '<tr><th scope="row">12:00</th><td class="n">1 ms</td><td class="n">&lt;2</td></tr>'
        '<tr><th scope="row">12:15</th><td class="n">3 ms</td><td class="n">4 ms</td></tr>'
    )
    assert rows([]) == ""
