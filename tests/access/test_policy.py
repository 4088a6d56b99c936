"""The indexed, parsed-once road to Casbin answers as plain Casbin does, on generated requests."""

from __future__ import annotations

import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from access.files import POLICY_FOLDER, read_folder, read_text
from access.gathering import Gathered, Gathering
from access.lint import read_sources
from access.model import Action, Actor, CaseStanding, Request, Trait
from access.policy import MODEL_FILE, Policy, Question, load_policy, version_of
from access.rules import Rule, RuleFile
from hub.catalog import Catalog, Classification, Dataset
from hub.errors import PolicyError
from tests.access.conftest import NOW

ROLES = ("grid_officer", "window_officer", "analyst", "system_admin", "oversight", "nobody")
AGENCIES = ("population", "police", "civil_affairs", "bureau", "elsewhere")
ACTIONS = ("lookup", "search", "aggregate", "export")
PURPOSES = ("residence.verify", "assistance.review", "public_safety.investigation")


def random_rule(rng: random.Random, number: int, catalog: Catalog) -> Rule:
    """Return any rule the linter would let stand."""
    allows = rng.random() < 0.7
    datasets = (*catalog, "*", "police.*", "civil_affairs.*", "@not_shared")
    return Rule(
        id=f"r{number}",
        line=number,
        effect="allow" if allows else "deny",
        roles=tuple(rng.sample((*ROLES[:-1], "staff", "administrator", "*"), rng.randint(1, 2))),
        agencies=tuple(rng.sample((*AGENCIES[:-1], "*", "@owner", "@others"), rng.randint(1, 2))),
        actions=tuple(rng.sample((*ACTIONS, "*"), rng.randint(1, 2))),
        datasets=tuple(rng.sample(datasets, rng.randint(1, 3))),
        purposes=tuple(rng.sample((*PURPOSES, "*", "public_safety.*", "residence.*"), 1)),
        area=rng.choice(("any", "own")) if allows else "any",
        case=rng.choice(("required", "optional")) if allows else "optional",
        show=rng.choice(("clear", "masked")),
        level=Classification(rng.randint(1, 4)),
        subject=None if allows else rng.choice((None, *Trait)),
    )


def random_question(rng: random.Random, catalog: Catalog) -> Question:
    """Return any question, about roles and agencies that do not exist too."""
    dataset = catalog[rng.choice(tuple(catalog))]
    return Question(
        roles=tuple(rng.sample(ROLES, rng.randint(0, 2))),
        agency=rng.choice(AGENCIES),
        owner=dataset.owner,
        action=rng.choice(ACTIONS),
        dataset=dataset.name,
        sharing=dataset.sharing.value,
        purpose=rng.choice(PURPOSES),
        area=rng.choice(("own", "elsewhere")),
        case=rng.choice(("given", "none")),
        show=rng.choice(("clear", "masked")),
        level=rng.randint(1, 4),
        subject=rng.choice(("none", *Trait)),
    )


def policy_of(rules: tuple[Rule, ...]) -> Policy:
    """Return a policy of rules made here, with the shipped registers and model."""
    sources = replace(read_sources(), rule_file=RuleFile(rules))
    return Policy(sources, read_text(POLICY_FOLDER / MODEL_FILE), rules, "test")


@pytest.mark.parametrize("seed", range(30))
def test_the_fast_road_answers_as_plain_casbin(seed: int, catalog: Catalog) -> None:
    """Same answer, and the same rules wherever Casbin looks at all of them: 6,000 questions."""
    rng = random.Random(seed)
    rules = tuple(random_rule(rng, n, catalog) for n in range(rng.randint(1, 25)))
    questions = [random_question(rng, catalog) for _ in range(200)]
    policy = policy_of(rules)
    assert differing(policy, policy, questions) == []


def differing(fast: Policy, plain: Policy, questions: list[Question]) -> list[Question]:
    """Return the questions on which the fast road of one policy and plain Casbin of one differ."""
    enforcer, noted = plain.plain_enforcer()
    found = []
    for question in questions:
        noted.clear()
        answer = enforcer.enforce(*question.values())
        ruling = fast.ask(question)
        if (ruling.allowed, list(ruling.rules)) != (answer, list(dict.fromkeys(noted))):
            found.append(question)
    return found


def test_the_comparison_notices_one_effect_turned_round(catalog: Catalog) -> None:
    """Of any rule that matches alone."""
    rng = random.Random(5)
    rules = tuple(random_rule(rng, n, catalog) for n in range(20))
    questions = [random_question(rng, catalog) for _ in range(400)]
    policy = policy_of(rules)
    noticed = 0
    for place, rule in enumerate(rules):
        turned = replace(rule, effect="deny" if rule.allows else "allow")
        changed = policy_of((*rules[:place], turned, *rules[place + 1 :]))
        alone = [q for q in questions if policy.ask(q).rules == (rule.id,)]
        assert differing(changed, policy, alone) == alone, rule
        noticed += bool(alone)
    assert noticed >= 5


@pytest.mark.parametrize("word", ["@owner", "@others", "@not_shared", "*", "police.*", "", "."])
def test_words_of_the_policy_mean_nothing_in_a_question(word: str, catalog: Catalog) -> None:
    """Whoever calls their agency or dataset like a pattern gets what plain Casbin gives."""
    rng = random.Random(11)
    policy = policy_of(tuple(random_rule(rng, n, catalog) for n in range(20)))
    base = [random_question(rng, catalog) for _ in range(40)]
    for column in ("agency", "owner", "action", "dataset", "sharing", "purpose"):
        asked = [replace(question, **{column: word}) for question in base]
        assert differing(policy, policy, asked) == [], column


def test_answers_stay_apart_when_threads_ask_at_once(catalog: Catalog) -> None:
    """One enforcer serves them all; each gets the answer to its own question."""
    rng = random.Random(13)
    policy = policy_of(tuple(random_rule(rng, n, catalog) for n in range(20)))
    questions = [random_question(rng, catalog) for _ in range(600)]
    alone = [policy.ask(question) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(policy.ask, questions)) == alone


def test_the_shipped_policy_answers_as_plain_casbin(policy: Policy, catalog: Catalog) -> None:
    """Over the policy that is in force."""
    rng = random.Random(7)
    enforcer, _ = policy.plain_enforcer()
    allowed = 0
    for _ in range(1500):
        question = random_question(rng, catalog)
        answer = policy.ask(question).allowed
        assert answer == enforcer.enforce(*question.values()), question
        allowed += answer
    assert allowed  # the comparison is about something


def brute_ceiling(enforcer: Any, base: Question, area: str) -> tuple[int, int]:
    """Return the highest level plain Casbin allows in clear, and masked, asking every question."""
    highest = {"clear": 0, "masked": 0}
    for show, level in product(highest, range(1, 5)):
        question = replace(base, area=area, show=show, level=level)
        if enforcer.enforce(*question.values()):
            highest[show] = max(highest[show], level)
    return highest["clear"], highest["masked"]


@pytest.mark.parametrize("seed", range(4))
def test_gathering_finds_the_ceilings_that_asking_everything_finds(
    seed: int, catalog: Catalog
) -> None:
    """Skipping questions by monotony never opens or closes anything."""
    rng = random.Random(100 + seed)
    policy = policy_of(tuple(random_rule(rng, n, catalog) for n in range(12)))
    enforcer, _ = policy.plain_enforcer()
    for _ in range(25):
        question = random_question(rng, catalog)
        gathered = gather(policy, catalog[question.dataset], question)
        for subject in ("none", *Trait):
            under = gathered.under(() if subject == "none" else (Trait(subject),))
            about = replace(question, subject=subject)
            for area, ceiling in (("own", under.own), ("elsewhere", under.elsewhere)):
                clear, masked = brute_ceiling(enforcer, about, area)
                assert (ceiling.clear, ceiling.masked) == (clear, masked), (about, area)
            assert not {policy.by_id[name].subject for name in under.rules} - {None}


def gather(policy: Policy, dataset: Dataset, question: Question) -> Gathered:
    """Return what the decider would gather for a question's actor."""
    actor = Actor("a", "", question.agency, "", question.roles)
    case = "x" if question.case == "given" else None
    request = Request(
        actor, Action(question.action), None, question.purpose, case, CaseStanding.OPEN, at=NOW
    )
    return Gathering(policy, actor, dataset, request, question.case).result()


def test_no_rule_at_all_refuses(catalog: Catalog) -> None:
    """Casbin evaluates its matcher on empty strings then; the answer here is no."""
    rng = random.Random(1)
    policy = policy_of(())
    assert not any(policy.ask(random_question(rng, catalog)).allowed for _ in range(200))


def test_a_role_holds_only_in_its_agencies(policy: Policy, catalog: Catalog) -> None:
    """Roles live in agencies, as Casbin's domains: a grid officer of housing is none."""
    base = Question(
        roles=("grid_officer",), agency="population", owner="population", action="lookup",
        dataset="population.resident", sharing="conditional", purpose="residence.verify",
        area="own", case="none", show="clear", level=4,
    )  # fmt: skip
    assert policy.ask(base).allowed
    assert not policy.ask(replace(base, agency="housing")).allowed
    assert not policy.ask(replace(base, agency="nowhere")).allowed
    assert not policy.ask(replace(base, roles=("grid-officer",))).allowed
    assert not policy.ask(replace(base, roles=())).allowed
    assert not policy.ask(replace(base, roles=("grid_officer", "analyst"))).allowed  # deny wins


def test_words_written_twice_do_not_lose_the_policy(catalog: Catalog) -> None:
    """Casbin drops a whole batch of rows for one that is there twice."""
    rule = random_rule(random.Random(3), 1, catalog)
    twice = replace(rule, roles=("*", "*"), actions=("*", "*"), datasets=("*", "*"))
    policy = policy_of((twice,))
    enforcer, _ = policy.plain_enforcer()
    assert len(enforcer.get_policy()) == len(set(twice.agencies))


def test_the_version_follows_every_file_that_decides(tmp_path: Path) -> None:
    """Any change of rules, roles, purposes or model is another version."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICY_FOLDER, folder)
    before = version_of(read_folder(folder))
    assert before == version_of(read_folder(POLICY_FOLDER))
    for name in ("policy.csv", "roles.yaml", "purposes.yaml", "model.conf"):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        path.write_text(text + "\n# changed\n", encoding="utf-8")
        assert version_of(read_folder(folder)) != before
        path.write_text(text, encoding="utf-8")
    assert version_of(read_folder(folder)) == before
    (folder / "agencies.csv").write_text("code,title\nhealth,卫健委\n", encoding="utf-8")
    assert version_of(read_folder(folder)) != before


def test_a_policy_that_does_not_lint_is_not_activated(tmp_path: Path, catalog: Catalog) -> None:
    """Every finding is in the error, with file and line."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICY_FOLDER, folder)
    path = folder / "policy.csv"
    text = path.read_text(encoding="utf-8").replace("no-export,deny", "no-export,Deny")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(catalog, folder)
    assert any("policy.csv:" in f and "unknown-effect" in f for f in caught.value.findings)


def test_a_missing_folder_is_a_policy_error(tmp_path: Path, catalog: Catalog) -> None:
    """Not a file error from somewhere inside."""
    with pytest.raises(PolicyError, match="nowhere"):
        load_policy(catalog, tmp_path / "nowhere")


def test_a_file_of_ones_own_replaces_the_built_in_one(tmp_path: Path, catalog: Catalog) -> None:
    """What the folder lacks is the built-in file; the version says that it is another policy."""
    assert version_of(read_folder(tmp_path)) == version_of(read_folder(POLICY_FOLDER))
    built_in = read_text(POLICY_FOLDER / "policy.csv")
    kept = [line for line in built_in.splitlines() if not line.startswith("window-assistance,")]
    (tmp_path / "policy.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    own = load_policy(catalog, tmp_path)
    assert set(load_policy(catalog).by_id) - set(own.by_id) == {"window-assistance"}
    assert own.roles.agencies == load_policy(catalog).roles.agencies
    assert (
        own.version == version_of(read_folder(tmp_path)) != version_of(read_folder(POLICY_FOLDER))
    )


def test_a_policy_file_that_nothing_reads_is_refused(tmp_path: Path, catalog: Catalog) -> None:
    """A misspelt name must not leave the built-in rules in force unnoticed."""
    (tmp_path / "polices.csv").write_text("", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"polices\.csv"):
        load_policy(catalog, tmp_path)
