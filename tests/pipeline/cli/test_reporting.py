"""`leadlight report` at the command line."""


def test_a_language_that_nobody_speaks_is_refused_before_anything_is_read(leadlight):
    """A page in English would look like an answer; the languages that there are are named instead."""
    answer = leadlight("report", "--language", "xx")
    assert answer.returncode == 2
    assert all(code in answer.stderr for code in ("'xx'", "'en'", "'pt-BR'", "'ro'"))
