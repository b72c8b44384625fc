"""Rules of a config: shipped ones by name, a shop's own, and every fault before any work."""

from pathlib import Path

import pytest

from features.errors import LeadlightError
from models.decision_rules import columns_read
from pipeline.playbooks import decisions_of, shipped, shipped_texts
from pipeline.settings import parse
from pipeline.shipped import config_names

TABLES = {
    "orders": {"path": "orders.csv"},
    "leads": {"path": "leads.csv", "attributes": {"country": "text", "employees": "number"}},
}


def parsed(**decisions):
    """Return the settings of a shop with these decisions."""
    raw = {"shop": {"name": "Test"}, "tables": TABLES, "decisions": decisions}
    return parse(raw, place=Path("shop.yaml"))


def rules(**decisions):
    """Return the rules of a shop with these decisions."""
    return decisions_of(parsed(**decisions).decisions)


def names(some):
    """Return the names of rules in order."""
    return [rule.name for rule in some]


def test_a_shop_that_says_nothing_gets_the_shipped_rules():
    """The funnel begins with visitors and ends with the lapsed; the playbook ends with waiting, for everyone."""
    found = rules()
    assert names(found.funnel) == ["visitor", "lead", "engaged", "cart", "customer", "repeat_customer", "lapsed"]
    assert names(found.segments) == ["new_buyers", "undecided_with_open_cart", "dormant_a_leads", "best_customers"]
    assert {play.action for play in found.plays} == {
        "call", "recover_cart", "chat", "webinar", "discount", "email", "wait"
    }  # fmt: skip
    assert not found.plays[-1].where
    assert all(play.wording for play in found.plays)
    assert columns_read(found.stages)


def test_shipped_rules_have_no_fault_and_are_no_config():
    """They are read like any shop's, and lie where no config is looked for."""
    assert parsed(stages=["shipped"], playbook=["shipped"], segments=["shipped"])
    assert "shop" not in config_names()
    assert "Call the best" in shipped_texts()


def test_a_shop_renames_reorders_and_puts_its_own_first():
    """A name alone takes the shipped rule, a label renames it, `shipped` stands for the rest."""
    found = rules(
        stages=[{"name": "vip", "where": {"spending": {"min": 1000}}}, {"name": "cart", "label": "Basket"}, "shipped"],
        playbook=[{"name": "wait", "wording": {"en": "Rest.", "pl": "Odpocznij."}}],
        segments=["new_buyers"],
    )
    assert names(found.stages) == ["vip", "cart", "lapsed", "repeat_customer", "customer", "engaged", "lead", "visitor"]
    assert (found.stages[0].label, found.stages[1].label) == ("Vip", "Basket")
    shipped_cart = next(rule for rule in rules().stages if rule.name == "cart")
    assert found.stages[1].where == shipped_cart.where
    assert found.plays[0].wording == {"en": "Rest.", "pl": "Odpocznij."}
    assert (found.plays[0].action, found.plays[0].channel) == ("wait", "none")
    assert names(found.segments) == ["new_buyers"]


def test_a_play_without_a_channel_takes_that_of_its_action():
    """Whoever is called is called by phone."""
    play = rules(playbook=[{"name": "ring", "where": {}, "action": "call", "wording": "Ring."}]).plays[0]
    assert play.channel == "phone"


def test_attributes_of_leads_and_alternatives_can_be_asked_for():
    """``lead.NAME`` is an attribute; a list of conditions holds where one of them does."""
    found = rules(segments=[{"name": "pl", "where": [{"lead.country": "PL"}, {"lead.employees": {"min": 10}}]}])
    assert columns_read(found.segments) == {"lead.country", "lead.employees"}


def test_every_fault_is_told_at_once_with_what_was_meant():
    """Eleven mistakes in as many places, and nothing is scored before they are mended."""
    with pytest.raises(LeadlightError) as refused:
        parsed(
            stages=["repeat_custmer", {"name": "x", "where": {"stage": "lead"}}],
            playbook=[
                {"name": "ring", "where": {"visits_3d": {"min": 1}, "grade": "E"}, "action": "call"},
                {"name": "b", "where": {"stage": "crat", "country": "PL"}},
                {"name": "c c", "where": {"orders": {"least": 2}}, "action": "wait"},
                {"name": "d", "where": {"orders": {"min": 5, "max": 2}, "lead.nope": "x"}, "action": "wait"},
            ],
            segments=[{"name": "s", "where": {"lead.country": {"min": 3}}}, {"name": "s", "where": {}}],
        )
    assert str(refused.value) == (
        "The config 'shop.yaml' has faults:\n"
        "  - decisions.stages.repeat_custmer: no rule of that name is shipped (did you mean 'repeat_customer'?); one "
        "of your own needs `where`, {} for everyone\n"
        "  - decisions.stages.x.where.stage: rules cannot ask for that (did you mean 'sales_stage'?)\n"
        "  - decisions.playbook.ring.where.visits_3d: rules cannot ask for that (did you mean 'visits_30d'?)\n"
        "  - decisions.playbook.ring.where.grade: never is 'E'; there are A, B, C, D\n"
        "  - decisions.playbook.b.action: says what to do: call, email, recover_cart, discount, chat, webinar, wait, "
        "or your own word\n"
        "  - decisions.playbook.b.where.country: rules cannot ask for that (did you mean 'lead.country'?)\n"
        "  - decisions.playbook.b.where.stage: never is 'crat'; there are repeat_custmer, x\n"
        "  - decisions.playbook.c c: a name is made of letters, digits, _ and -, and begins with a letter\n"
        "  - decisions.playbook.c c.where.orders: unknown test 'least'\n"
        "  - decisions.playbook.d.where.lead.nope: rules cannot ask for that; there are lead.country, lead.employees\n"
        "  - decisions.playbook.d.where.orders: min 5 and max 2 leave nothing\n"
        "  - decisions.segments: two rules are called 's'\n"
        "  - decisions.segments.s.where.lead.country: min asks for numbers, but the column holds text\n"
        "\n"
        "Hint: `leadlight init` writes a config with comments to compare with; docs/settings.md lists every setting."
    )


def test_a_shipped_play_that_asks_for_a_stage_that_is_gone_is_told():
    """Whoever replaces the stages must look at the plays that name the old ones."""
    with pytest.raises(LeadlightError, match=r"playbook\.call_best \(shipped\)\.where\.stage: never is 'engaged'"):
        parsed(stages=[{"name": "everyone", "where": {}}])


def test_unknown_languages_and_holds_are_refused():
    """A wording in a language that Leadlight does not speak would never be read."""
    with pytest.raises(LeadlightError, match="there is no language de; there are en, pt, pl, ro"):
        parsed(segments=[{"name": "s", "where": {}, "label": {"de": "Kunden"}}])
    with pytest.raises(LeadlightError, match="there is no hold consent; there are no_consent"):
        parsed(suppress={"ignore": ["consent"]})


def test_a_bare_no_in_yaml_is_the_word():
    """YAML reads ``no`` as false; consent that says "no" is meant."""
    assert {"no", "false"} <= rules(suppress={"no_consent": [False]}).holds.no_consent


def test_each_shipped_text_is_said_once():
    """Translators see each text a single time."""
    texts = shipped_texts()
    assert len(texts) == len(set(texts)) > 20
    assert all(play.wording in texts for play in shipped().playbook)
