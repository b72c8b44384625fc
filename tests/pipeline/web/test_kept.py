"""What requests have in common is made once while it is kept."""

from pipeline.web.kept import Kept


def test_a_value_is_made_once_and_the_oldest_goes_first():
    """Whoever was asked for of late stays; who was not is made anew."""
    made = []

    def make(key):
        made.append(key)
        return key.upper()

    kept = Kept(2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(key, lambda key=key: make(key)) == key.upper()
    assert made == ["a", "b", "c", "b"]


def test_what_is_empty_is_kept_too():
    """An empty answer is an answer."""
    kept, made = Kept(2), []
    for _ in range(2):
        assert kept.get("a", lambda: made.append(1) or "") == ""
    assert made == [1]
