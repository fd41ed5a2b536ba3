"""Offers, lists of users, campaigns and outcomes that are not as they should be: one line, and no file."""

import json
from pathlib import Path

import pytest

from offerbench import cli
from tests.unit.campaigns.scores import FakeScore, drawn_scores
from tests.unit.conftest import TinyData, make_tiny_data

USERS = 120
DEAR = "price_cluster > 5"
CAMPAIGNS = f"""\
messages_per_user: 1
control: 0.1
seed: 3
campaigns:
  - {{name: dear, offer: {DEAR}, size: 20}}
  - {{name: cheap, offer: price_cluster < 5, size: 30}}
"""
FACTS = {"offer": DEAR, "as_of": "2019-10-12", "horizon_days": 7}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> TinyData:
    """Prepared data from October 1st to 25th, 2019."""
    return make_tiny_data(tmp_path_factory.mktemp("campaigns"))


@pytest.fixture(autouse=True)
def checkout(prepared: TinyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout with prepared data and a score, and files of users."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/prepared").symlink_to(prepared.directory)
    monkeypatch.setattr(
        "offerbench.commands.campaign_score.load_campaign_score", lambda: FakeScore(USERS, [])
    )
    monkeypatch.setattr("offerbench.commands.campaign_score.load_backtest_sizes", lambda: None)
    Path("all.csv").write_text("\n".join(map(str, drawn_scores(USERS, 0).user)))
    Path("names.csv").write_text("Ada\nGrace\n")
    Path("table.csv").write_text("name,age\nAda,36\n")
    Path("empty.csv").write_text("")
    Path("bytes.csv").write_bytes(b"user\n\xff\xfe\n")
    Path("broken.parquet").write_bytes(b"PAR1 and no more")


def refuse(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run a command that must say one line that has the message, with status 2, and write nothing."""
    before = sorted(Path().iterdir())
    monkeypatch.setattr("sys.argv", ["offerbench", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
    assert sorted(Path().iterdir()) == before


OFFERS = {
    "unknown attribute": ("brnad = 'x'", "no attribute 'brnad'; near: 'brand'"),
    "unknown value": ("brand = 'brnad3'", "brand: no value 'brnad3'; near: 'brand"),
    "a value without quotes": ("brand = brand3", "brand3: put quotes around a value: 'brand3'"),
    "text compared by size": ("brand > 3", "brand: its values are text and can't be compared by size"),
    "a size in quotes": ("price_cluster > '3'", "price_cluster: compare it with a number, without quotes"),
    "LIKE, a function, a subquery": ("brand like 'b%'", "not allowed in an offer's expression"),
    "more than one statement": ("brand = 'a'; drop table users", "not an expression"),
    "half an expression": ("brand = 'a' and", "not an expression"),
    "an empty expression": ("", "the offer's expression is empty"),
    "too many parentheses": ("(" * 500 + DEAR + ")" * 500, "nested too deeply"),
}


@pytest.mark.parametrize(("offer", "message"), OFFERS.values(), ids=OFFERS)
def test_an_offer_is_refused(
    offer: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(["audience", offer, "--size", "5", "--output", "a.csv"], message, monkeypatch, capsys)


AUDIENCES = {
    "no offer": (["--size", "5"], "name one of the three: an offer's expression, --products, or --campaigns"),
    "two offers": ([DEAR, "--products", "all.csv", "--size", "5"], "name one of the three"),
    "no size": ([DEAR], "name either --size, a number of users, or --share"),
    "size and share": ([DEAR, "--size", "5", "--share", "0.1"], "name either --size"),
    "size 0": ([DEAR, "--size", "0"], "--size: must be a whole number of at least 1, got 0"),
    "share above 1": ([DEAR, "--share", "1.5"], "--share: must be above 0 and at most 1, got 1.5"),
    "share nan": ([DEAR, "--share", "nan"], "--share: must be above 0 and at most 1"),
    "everybody held back": (
        [DEAR, "--size", "5", "--control", "1"],
        "--control: must be at least 0 and below 1",
    ),
    "horizon 0": ([DEAR, "--size", "5", "--horizon", "0"], "--horizon: must be a whole number of at least 1"),
    "days below 0": ([DEAR, "--size", "5", "--exclude-buyers", "-1"], "--exclude-buyers: must be a whole"),
    "seed below 0": ([DEAR, "--size", "5", "--seed", "-1"], "--seed: must be a whole number of at least 0"),
    "size above the users": (
        [DEAR, "--size", "121"],
        "size: 121 users are wanted, but only 120 of 120 may be",
    ),
    "a group of nobody": (
        [DEAR, "--size", "5", "--control", "0.01"],
        "control: a share of 0.01 of 5 users leaves",
    ),
    "nobody is left": (
        [DEAR, "--size", "5", "--exclude", "all.csv"],
        "the audience is empty: of 120 users, 120",
    ),
    "no file of users": ([DEAR, "--size", "5", "--exclude", "none.csv"], "none.csv: no such file"),
    "names in place of users": (
        [DEAR, "--size", "5", "--exclude", "names.csv"],
        "invalid value 'Ada' (user is a",
    ),
    "a table without users": ([DEAR, "--size", "5", "--exclude", "table.csv"], "table.csv: no column 'user'"),
    "an empty file of users": ([DEAR, "--size", "5", "--exclude", "empty.csv"], "empty.csv: an empty file"),
    "bytes in place of users": ([DEAR, "--size", "5", "--exclude", "bytes.csv"], "bytes.csv: not a CSV file"),
    "a directory in place of users": (
        [DEAR, "--size", "5", "--exclude", "data"],
        "data: a directory, not a file",
    ),
    "a damaged Parquet file": (
        [DEAR, "--size", "5", "--exclude", "broken.parquet"],
        "not an intact Parquet file",
    ),
    "before the data": ([DEAR, "--size", "5", "--as-of", "2019-10-01"], "nothing is known before 2019-10-01"),
    "after the data": ([DEAR, "--size", "5", "--as-of", "2020-01-01"], "--as-of: the data end on 2019-10-25"),
    "no day": ([DEAR, "--size", "5", "--as-of", "soon"], "--as-of: 'soon' is no day. Write it as 2017-12-01"),
    "no list of products": (
        ["--products", "names.csv", "--size", "5"],
        "none of its 2 lines is a value of product_id",
    ),
    "another kind of file": (
        [DEAR, "--size", "5", "--output", "a.xlsx"],
        "a.xlsx: must end in .csv or .parquet",
    ),
}


@pytest.mark.parametrize(("words", "message"), AUDIENCES.values(), ids=AUDIENCES)
def test_an_audience_is_refused(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(["audience", "--output", "a.csv", *words], message, monkeypatch, capsys)


PLANS = {
    "size above the users": (
        "size: 20",
        "size: 200",
        "dear: size: 200 users are wanted, but only 120 of 120",
    ),
    "size 0": ("size: 20", "size: 0", "campaigns.0.size: Input should be greater than or equal to 1"),
    "more messages than there are": (
        "size: 20",
        "size: 110",
        "messages_per_user: the campaigns want 140 messages",
    ),
    "an offer that is refused": ("price_cluster > 5", "prize > 5", "dear: no attribute 'prize'"),
    "one name for two": ("name: dear", "name: cheap", "campaigns: ['cheap'] are the names of more than one"),
    "a name that is taken": ("name: dear", "name: plan", "'plan' names the file of all, choose another"),
    "a path for a name": ("name: dear", "name: ../dear", "campaigns.0.name: String should match pattern"),
    "no file of products": (f"offer: {DEAR}", "products: none.csv", "dear: none.csv: no such file"),
    "no offer": (f", offer: {DEAR}", "", "'dear' must have either offer or products"),
    "a group of nobody": (
        "control: 0.1",
        "control: 0.01",
        "dear: control: a share of 0.01 of 20 users leaves",
    ),
    "everybody held back": ("control: 0.1", "control: 1.0", "control: Input should be less than 1"),
    "after the data": ("seed: 3", "as_of: 2020-01-01\nseed: 3", "campaigns.yaml: as_of: the data end on"),
    "no YAML": ("campaigns:", "campaigns: [", "campaigns.yaml: not valid YAML"),
}


@pytest.mark.parametrize(("old", "new", "message"), PLANS.values(), ids=PLANS)
def test_a_plan_is_refused(
    old: str, new: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("campaigns.yaml").write_text(CAMPAIGNS.replace(old, new, 1))
    words = ["audience", "--campaigns", "campaigns.yaml", "--output", "plan"]
    refuse(words, message, monkeypatch, capsys)


def test_unknown_and_missing_keys_of_a_plan_are_all_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("campaigns.yaml").write_text(CAMPAIGNS.replace("size: 20", "sise: 20"))
    words = ["audience", "--campaigns", "campaigns.yaml", "--output", "plan"]
    monkeypatch.setattr("sys.argv", ["offerbench", *words])
    with pytest.raises(SystemExit):
        cli.main()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: campaigns.yaml: campaigns.0.size: Field required"
    assert lines[1] == "campaigns.yaml: campaigns.0.sise: Extra inputs are not permitted"


def test_options_that_stand_in_the_file_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("campaigns.yaml").write_text(CAMPAIGNS)
    words = ["audience", "--campaigns", "campaigns.yaml", "--output", "plan", "--size", "5", "--seed", "1"]
    refuse(words, "--size, --seed: stands in campaigns.yaml, for all of its campaigns.", monkeypatch, capsys)


def test_a_directory_with_other_files_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("campaigns.yaml").write_text(CAMPAIGNS)
    Path("plan").mkdir()
    Path("plan/thesis.txt").write_text("five years")
    words = ["audience", "--campaigns", "campaigns.yaml", "--output"]
    refuse(
        [*words, "plan"], "plan: holds other files and no plan.json of an earlier plan", monkeypatch, capsys
    )
    assert Path("plan/thesis.txt").read_text() == "five years"
    refuse([*words, "all.csv"], "all.csv: a file. Name a directory", monkeypatch, capsys)


OUTCOMES = {
    "no audience": (["none.csv"], "none.csv: no such file"),
    "a table that is no audience": (["table.csv"], "table.csv: no column 'user', 'chance', 'group'"),
    "no figures beside it": (["bare.csv"], "bare.json: no such file. Name --offer, --as-of and --horizon"),
    "figures of no day": (["odd.csv"], "odd.json: as_of: Input should be a valid date"),
    "figures of something else": (["list.csv"], "list.json: no figures of an audience"),
    "damaged figures": (["broken.csv"], "broken.json: not valid JSON"),
    "a user twice": (["twice.csv"], "twice.csv: row 3: the user is there before"),
    "a chance above 1": (["above.csv"], "above.csv: row 2: the chance must be 0 to 1"),
    "an unknown group": (["group.csv"], "group.csv: row 2: the group must be target or control"),
    "nobody was asked": (["control.csv"], "control.csv: nobody is in the group 'target'"),
    "no events": (["a.csv", "none.csv"], "none.csv: no such file"),
    "a table that is no events": (["a.csv", "table.csv"], "table.csv: no column 'user', 'day'"),
    "a directory without data": (["a.csv", "."], "features.json: no such file"),
    "data that end before": (
        ["a.csv", "--as-of", "2019-12-01"],
        "the data end on 2019-10-25, before 2019-12-01",
    ),
    "no day": (["a.csv", "--as-of", "soon"], "--as-of: Input should be a valid date"),
    "horizon 0": (["a.csv", "--horizon", "0"], "--horizon: Input should be greater than or equal to 1"),
    "an offer that is refused": (["a.csv", "--offer", "brnad = 'x'"], "no attribute 'brnad'; near: 'brand'"),
    "another kind of file": (["a.csv", "--output", "o.txt"], "o.txt: must end in .json"),
}


@pytest.mark.parametrize(("words", "message"), OUTCOMES.values(), ids=OUTCOMES)
def test_an_outcome_is_refused(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    header = "user,chance,group\n"
    for name in ("a", "bare", "odd", "list", "broken"):
        Path(f"{name}.csv").write_text(f"{header}1,0.5,target\n2,0.5,control\n")
    for name, rows in {
        "twice": "1,0.5,target\n1,0.5,target\n",
        "above": "1,1.5,target\n",
        "group": "1,0.5,treated\n2,0.5,target\n",
        "control": "1,0.5,control\n",
    }.items():
        Path(f"{name}.csv").write_text(header + rows)
    Path("a.json").write_text(json.dumps(FACTS))
    Path("odd.json").write_text(json.dumps({**FACTS, "as_of": "never"}))
    Path("list.json").write_text("[1]")
    Path("broken.json").write_text("{")
    refuse(["outcome", "--output", "o.json", *words], message, monkeypatch, capsys)
