"""Targets that write to one place: refused where each would undo what the other wrote."""

import pytest

from features.errors import LeadlightError
from pipeline.crm.targets import open_target
from support.little_shop import LittleShop

FILE = {"kind": "file", "connect": {"path": "crm.csv"}}
TABLE = {"kind": "sql", "connect": {"url": "sqlite:///crm.db", "table": "leads"}}
SERVER = {"kind": "sql", "connect": {"url_env": "URL", "table": "leads"}}
HUBSPOT = {"kind": "hubspot"}
MARKETO = {"kind": "marketo", "connect": {"base_url": "https://123.mktorest.com"}}
SALESFORCE = {"kind": "salesforce", "connect": {"base_url": "https://acme.my.salesforce.com"}}
SECRETS = dict.fromkeys(
    (
        "LEADLIGHT_HUBSPOT_TOKEN", "OTHER_TOKEN", "LEADLIGHT_MARKETO_CLIENT_ID", "LEADLIGHT_MARKETO_CLIENT_SECRET",
        "LEADLIGHT_SALESFORCE_CLIENT_ID", "LEADLIGHT_SALESFORCE_CLIENT_SECRET",
    ),
    "secret",
)  # fmt: skip


def target(base, *, fields=("score",), key="leadlight_key", **connect):
    """Return a target's config."""
    return {
        **base,
        "key": key,
        "fields": dict.fromkeys(fields, "score"),
        "connect": {**base.get("connect", {}), **connect},
    }


def opened(folder, **crm):
    """Open the first of some targets, and let it go; return where it leads to."""
    settings = LittleShop(folder, leads=1, crm=crm).settings
    environment = {**SECRETS, "URL": "postgresql://ann:secret@DB/shop"}
    with open_target(settings, next(iter(crm)), environment=environment) as one:
        return one.destination


@pytest.mark.parametrize("base", [TABLE, SERVER, HUBSPOT, MARKETO, SALESFORCE])
def test_one_property_of_one_place_has_one_target(tmp_path, base):
    """Two that write it are refused, whatever the case of its name, and so is who writes another one's key."""
    with pytest.raises(LeadlightError, match=r"crm\.a\.fields\.score: crm\.b writes it too"):
        opened(tmp_path, a=target(base), b=target(base, fields=("Score", "more")))
    with pytest.raises(LeadlightError, match=r"crm\.b\.key: score is written by crm\.a"):
        opened(tmp_path, a=target(base), b=target(base, key="score", fields=("more",)))
    opened(tmp_path, a=target(base), b=target(base, fields=("more",)))


@pytest.mark.parametrize("base", [TABLE, SERVER, HUBSPOT, MARKETO, SALESFORCE])
def test_what_one_target_reads_no_other_writes(tmp_path, base):
    """What people say in a CRM stays as they said it; whichever of the two is opened, every fault is told at once."""
    read = {"override": "stop", "owner": "owner", "stage": "stage", "outcomes": ["deal"]}
    listening, writing = {**target(base), "read": read}, target(base, fields=("Stop", "OWNER", "stage", "deal", "more"))
    for crm in ({"a": listening, "b": writing}, {"b": writing, "a": listening}):
        with pytest.raises(LeadlightError) as caught:
            opened(tmp_path, **crm)
        for name in ("stop", "owner", "stage", "deal"):
            assert f"crm.a.read: {name} is written by crm.b" in str(caught.value)
        assert "more" not in str(caught.value)
    opened(tmp_path, a=listening, b={**target(base, fields=("more",)), "read": read})


def test_one_file_has_one_target(tmp_path):
    """It is written as a whole; a link to it and a longer way to it are the same file."""
    (tmp_path / "link.csv").symlink_to(tmp_path / "crm.csv")
    for path in ("crm.csv", "link.csv", "workspace/../crm.csv"):
        with pytest.raises(LeadlightError, match=r"crm\.a and crm\.b: both write it"):
            opened(tmp_path, a=target(FILE), b=target(FILE, fields=("more",), path=path))
    opened(tmp_path, a=target(FILE), b=target(FILE, path="other.csv"))


@pytest.mark.parametrize(
    ("base", "elsewhere"),
    [
        (TABLE, {"table": "others"}),
        (TABLE, {"url": "sqlite:///other.db"}),
        (SERVER, {"schema": "other"}),
        (HUBSPOT, {"token_env": "OTHER_TOKEN"}),
        (MARKETO, {"base_url": "https://456.mktorest.com"}),
        (SALESFORCE, {"base_url": "https://sandbox.my.salesforce.com"}),
    ],
)
def test_the_same_property_elsewhere_is_another(tmp_path, base, elsewhere):
    """Two accounts, two tables: both are written, and one that moves there is known to have moved."""
    here = opened(tmp_path, a=target(base), b=target(base, **elsewhere))
    opened(tmp_path, a={**target(base, fields=("more",)), "read": {"override": "score"}}, b=target(base, **elsewhere))
    assert opened(tmp_path, a=target(base)) == here
    assert opened(tmp_path, a=target(base, **elsewhere)) != here


@pytest.mark.parametrize("base", [HUBSPOT, MARKETO, SALESFORCE])
def test_an_account_is_the_same_however_its_address_is_spelled(tmp_path, base):
    """The port that is meant without one, a slash at the end and the case of the host make no other account."""
    plain = base.get("connect", {}).get("base_url", "https://api.hubapi.com")
    here = opened(tmp_path, a=target(base))
    for spelled in (f"{plain}:443", f"{plain}/", plain.upper().replace("HTTPS", "https")):
        assert opened(tmp_path, a=target(base, base_url=spelled)) == here
    assert opened(tmp_path, a=target(base, base_url=f"{plain}:8443")) != here


def test_objects_of_one_org_are_places_of_their_own(tmp_path):
    """One target for leads and one for contacts do not meet; one for both meets either."""
    leads, contacts = target(SALESFORCE, objects=["Lead"]), target(SALESFORCE, objects=["Contact"])
    opened(tmp_path, a=leads, b=contacts)
    with pytest.raises(LeadlightError, match="same place"):
        opened(tmp_path, a=target(SALESFORCE), b=contacts)


def test_a_table_is_the_same_whoever_logs_in(tmp_path):
    """A name, a password and the case of a host make no other database."""
    other = {"kind": "sql", "connect": {"url": "postgresql://bob@db/shop", "url_env": "", "table": "leads"}}
    with pytest.raises(LeadlightError, match="same place"):
        opened(tmp_path, a=target(SERVER), b=target(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"url": "postgresql://db/shop"}, {"url": "postgresql://db:5432/shop", "schema": "public"}),
        ({"url": "mysql://db/shop"}, {"url": "mariadb://db:3306/more", "schema": "shop"}),
        ({"url": "postgresql://localhost/shop"}, {"url": "postgresql://127.0.0.1/shop"}),
        ({"url": "sqlite:///crm.db"}, {"url": "sqlite:///more/../crm.db", "schema": "main", "table": "LEADS"}),
        ({"url": "sqlite:///crm.db"}, {"url": "sqlite:///link.db"}),
    ],
    ids=["port and schema", "database as schema", "this machine", "a longer way", "a link"],
)
def test_one_table_named_in_two_ways_is_one_place(tmp_path, one, other):
    """What a database takes where nothing is said, and where a path leads to, is what counts."""
    (tmp_path / "link.db").symlink_to(tmp_path / "crm.db")
    a, b = ({"kind": "sql", "connect": {"url_env": "", "table": "leads", **said}} for said in (one, other))
    assert opened(tmp_path, a=target(a)) == opened(tmp_path, a=target(b))
    with pytest.raises(LeadlightError, match="same place"):
        opened(tmp_path, a=target(a), b=target(b))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"url": "postgresql://db/shop"}, {"url": "postgresql://db:5433/shop"}),
        ({"url": "postgresql://db/shop"}, {"url": "postgresql://db/shop", "table": "Leads"}),
        ({"url": "postgresql:///shop?unix_sock=/a/s"}, {"url": "postgresql:///shop?unix_sock=/b/s"}),
        ({"url": "mysql:///shop?unix_socket=/a/s"}, {"url": "mysql:///shop?unix_socket=/b/s"}),
    ],
)
def test_two_tables_are_two_places(tmp_path, one, other):
    """Another port, another socket, and on PostgreSQL another case of a name, lead elsewhere."""
    a, b = ({"kind": "sql", "connect": {"url_env": "", "table": "leads", **said}} for said in (one, other))
    assert opened(tmp_path, a=target(a)) != opened(tmp_path, a=target(b))
    opened(tmp_path, a=target(a), b=target(b))


def test_another_targets_own_faults_are_its_own(tmp_path):
    """One that cannot be reached as configured keeps no other from being opened."""
    opened(tmp_path, a=target(TABLE), b=target(TABLE, unknown="leads"), c=target(TABLE, url="", url_env="NOWHERE"))
