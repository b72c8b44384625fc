"""What happened to a lead is told in the language asked for."""

import pytest

from pipeline import lead_timeline
from pipeline.languages import language
from pipeline.settings import Settings

SETTINGS = Settings.model_validate({"shop": {"name": "Lamp shop", "currency": "EUR"}, "tables": {}, "question": {}})
ORDER = {"table": "orders", "amount": 1_250_0000, "items": 2, "category": "lamps", "is_cancelled": False}
VISIT = {"table": "sessions", "pages": 5, "duration": 125_000, "source": "google", "device": None}


@pytest.mark.parametrize(
    ("code", "order", "visit"),
    [
        ("en", "order of €1,250, 2 items, category lamps", "visit, 5 pages, 2 min 5 s, source google"),
        ("pt", "compra de 1 250 €, 2 itens, categoria: lamps", "visita, 5 páginas, 2 min 5 s, origem: google"),
        ("pl", "zamówienie na 1 250 €, 2 produkty, kategoria: lamps", "wizyta, 5 stron, 2 min 5 s, źródło: google"),
        ("ro", "comandă de 1.250 EUR, 2 produse, categorie: lamps", "vizită, 5 pagini, 2 min 5 s, sursă: google"),
    ],
)
def test_orders_and_visits_are_told_in_the_language(code, order, visit):
    """Amounts, plurals and the names of columns follow the language; what the shop wrote stays."""
    said = [lead_timeline._told(row, SETTINGS, language(code)).replace("\xa0", " ") for row in (ORDER, VISIT)]
    assert said == [order, visit]


def test_a_cancelled_order_is_told_as_one():
    """What was cancelled does not read as a sale."""
    told = lead_timeline._told({**ORDER, "is_cancelled": True}, SETTINGS, language("en"))
    assert told.startswith("cancelled order of €1,250")
