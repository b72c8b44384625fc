"""What a server does before the first page is asked for."""

import gc

import pytest

from pipeline.web.server import warm


@pytest.fixture(autouse=True)
def _as_before():
    """The collector looks at everything again afterwards."""
    yield
    gc.unfreeze()


def test_the_first_page_finds_open_what_it_needs(app_of, own_settings):
    """The published run is open, and what it holds already is no work for the collector of garbage."""
    app = app_of(own_settings)
    assert app.state.house.published.at_hand() is None
    warm(app)
    assert app.state.house.published.at_hand() is not None
    assert gc.get_freeze_count() > 0


def test_where_nothing_is_published_the_server_starts_all_the_same(app_of, own_settings):
    """The pages say what to do; the start says nothing of it."""
    (own_settings.shop.workspace / "scores" / "manifest.json").unlink()
    warm(app_of(own_settings))
