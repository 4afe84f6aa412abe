from __future__ import annotations

import pytest

from loader.sources.git.commits.refused_push import refused_push

URL = "https://git.example/models.git"


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("pre-receive hook declined", "let this login (usergit) push to the branch"),
        ("protected branch hook declined", "let this login (usergit) push to the branch"),
        ("branch is currently checked out", "follow a bare repository"),
        ("failed to update ref", "give the user that serves it the right to write there"),
        ("unpacker error", "give the user that serves it the right to write there"),
        ("something new", "commit and push the change yourself"),
    ],
)
def test_it_says_what_to_do(why: str, says: str) -> None:
    said = refused_push(URL, why, "")
    assert said.startswith(f"{URL} refused the push ({why}), and nothing was changed: ")
    assert says in said


def test_the_other_sides_words_are_cut_between_words() -> None:
    said = refused_push(URL, "pre-receive hook declined", "To x\n" + "remote: words and words\n" * 30)
    assert said.endswith(("words …", "and …"))
    assert len(said) < 700
    short = refused_push(URL, "pre-receive hook declined", "remote: \nremote: GL-HOOK-ERR: sign your commits.\n")
    assert short.endswith(". It says: GL-HOOK-ERR: sign your commits.")


def test_gits_advice_to_the_owner_of_a_checked_out_branch_is_left_out() -> None:
    said = refused_push(URL, "branch is currently checked out", "remote: error: By default, updating\n" * 20)
    assert "By default" not in said
