"""From gold articles to linear models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from spacy.language import Language
from tiny import ROUND, TEMPLATES, passages, trained, viewed

from pipeline import learning
from pipeline.deals import LINKS, Draft, draft_deals
from pipeline.learning import (
    NOTHING,
    Aligned,
    Samples,
    collect,
    corrected_samples,
    fit,
    fold_of,
    gold_drafts,
    judge_samples,
    mention_samples,
    relation_samples,
)
from pipeline.linear import NO, YES, LinearModel, LinearModels
from pipeline.markup import GoldArticle, parse
from pipeline.schema import (
    NAME_LABELS,
    AmountKind,
    Basis,
    Certainty,
    Commitment,
    EventType,
    Focus,
    Instrument,
    InvestorRole,
    Label,
    Status,
)
from pipeline.view import PASSES, read_view, relabel


def align(nlp: Language, article: GoldArticle) -> Aligned:
    return Aligned.of(article, viewed(nlp, article.text))


# ---- folds ------------------------------------------------------------------------------------


def gold(path: str, story: str | None = None) -> GoldArticle:
    head = "" if story is None else f'story = "{story}"\n'
    return parse(f"+++\n{head}+++\nText.", path=path)


def test_passages_of_one_story_stay_together() -> None:
    assert len({fold_of(gold(f"w{n}/x.md", "one"), 5) for n in range(20)}) == 1


def test_folds_are_spread_and_stable() -> None:
    folds = [fold_of(gold(f"w/{n}.md"), 3) for n in range(60)]
    assert set(folds) == {0, 1, 2}
    assert folds == [fold_of(gold(f"elsewhere/{n}.md"), 3) for n in range(60)]


# ---- alignment --------------------------------------------------------------------------------


def test_predicted_mentions_find_their_marks(tiny: Language) -> None:
    article = passages(ROUND)[0]
    aligned = align(tiny, article)
    found = {item.text: aligned.id_of(item) for item in aligned.view.items}
    assert found["Ovalie Robotics"] == "c1"
    assert found["La start-up"] == "c1"
    assert found["12 millions d'euros"] == "a1"
    assert found["90 millions d'euros"] == "v1"
    assert found["mai 2023"] == "d1"
    assert found["série B"] is None  # a mark without an id
    company = aligned.party_of("c1")
    assert company is not None
    assert aligned.view.parties[company][0].text == "Ovalie Robotics"
    assert aligned.party_of("c9") is None
    assert [item.text for item in aligned.items_of("a2")] == ["30 millions d'euros"]
    assert aligned.items_of(None) == []


def test_a_mention_is_a_mark_where_they_share_more_than_half(tiny: Language) -> None:
    near = parse("+++\n+++\n[Le Fonds Garonne](ORG o1) part.")
    assert [align(tiny, near).id_of(item) for item in align(tiny, near).view.items] == ["o1"]
    far = parse("+++\n+++\n[La Banque du Grand Fonds Garonne](ORG o1) part.")
    assert [align(tiny, far).id_of(item) for item in align(tiny, far).view.items] == [None]
    other_sort = parse("+++\n+++\n[Fonds Garonne](ROUND) part.")
    assert [align(tiny, other_sort).gold] == [[None]]


def test_gold_events_become_drafts(tiny: Language) -> None:
    kinds = {
        template: [
            (draft.kind, [anchor.text for anchor in draft.anchors], event.type)
            for draft, event in gold_drafts(align(tiny, passages(template)[0]))
        ]
        for template in TEMPLATES
    }
    assert list(kinds.values()) == [
        [("amount", ["12 millions d'euros"], "financing")],
        [("amount", ["20 M€"], "financing")],
        [("operation", ["Ovalie Robotics"], "acquisition")],
        [("valuation", ["2 milliards d'euros"], "valuation")],
        [],
        [
            ("amount", ["8 millions d'euros"], "financing"),
            ("amount", ["4 millions d'euros"], "financing"),
        ],
    ]


def test_an_event_whose_company_was_not_found_is_left_out(tiny: Language) -> None:
    source = ROUND.format(company="Xylo", fund="Loire Capital", other="Aber Ventures", medium="M.")
    missing = parse(source.replace("[La start-up](COMPANY c1 nom)", "Elle"))
    assert gold_drafts(align(tiny, missing)) == []


def test_no_evidence_is_given_twice(nlp: Language, train: Sequence[GoldArticle]) -> None:
    """A fit counts it once, a model as often as it is given."""
    models = nlp.get_pipe("fr_deals_events").models
    seen = set()
    for article in train[::60]:
        document = align(nlp, article)
        samples = [sample for model in PASSES for sample in mention_samples(document, model)]
        relabel(document.view, models)
        samples += relation_samples(document)
        samples += judge_samples(document, draft_deals(document.view, models))
        for model, features, _ in samples:
            assert len(set(features)) == len(features), model
            seen.add(model)
    assert seen >= models.keys() - {"tells", "holder", "share", "basis", "own_worth"}


def test_links_are_learnt_again_from_the_deals_that_models_see(tiny: Language) -> None:
    """A deal that models of other folds miss teaches nothing; one too many teaches what is none."""
    article = passages(ROUND)[0]
    document = align(tiny, article)
    models = tiny.get_pipe("fr_deals_events").models
    relabel(document.view, models)
    drafted = draft_deals(document.view, models)
    seen = list(corrected_samples(document, drafted, models))
    asked = {model for model, _, _ in seen}
    assert asked >= {"investor", "date", "type", "status", "investor_role"}
    assert asked.isdisjoint({"company", "operation", "own_worth", "share", "holder", "basis"})
    assert {label for model, _, label in seen if model == "investor"} == {YES}
    silent = replace(article, head=article.head.model_copy(update={"event": ()}))
    document = replace(document, article=silent)
    wrong = list(corrected_samples(document, drafted, models))
    assert wrong
    assert {label for _, _, label in wrong} == {NO}


def test_a_real_article_counts_as_often_in_every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    written = [
        replace(article, head=article.head.model_copy(update={"writer": "w"}))
        for template in TEMPLATES
        for article in passages(template)
    ]
    most: Counter[str] = Counter()

    def noted(samples: Samples) -> LinearModels:
        sizes = {model: len(labels) for model, (_, labels) in samples.items()}
        most.update({model: max(0, size - most[model]) for model, size in sizes.items()})
        return fit(samples)

    monkeypatch.setattr(learning, "fit", noted)
    trained(written)
    once = Counter(most)
    most.clear()
    trained([passages(ROUND)[0], *written[1:]])
    more = most - once
    for model in (*PASSES, "date", "investor", "type", "real"):
        assert more[model] >= learning.PRESS_WEIGHT - 1, model


def test_samples_are_grouped_by_model() -> None:
    samples = [("type", ["a"], "ipo"), ("focus", ["b"], "main"), ("type", ["c"], "financing")]
    assert collect(samples) == {
        "type": ([["a"], ["c"]], ["ipo", "financing"]),
        "focus": ([["b"]], ["main"]),
    }


def test_a_draft_lists_what_is_tied_to_it(tiny: Language) -> None:
    with tiny.select_pipes(disable=["fr_deals_events"]):
        doc = tiny(passages(ROUND)[0].text)
    item = read_view(doc, tiny.get_pipe("fr_deals_events")._find_cues).items[0]
    draft = Draft("amount", [item], 0, links={"investor": [(item, 0.7)]})
    assert draft.linked("investor") == [item]
    assert draft.linked("date") == []


# ---- what is learnt ---------------------------------------------------------------------------


def test_learning_is_deterministic(tiny: Language) -> None:
    again = trained([article for template in TEMPLATES for article in passages(template)])

    def stored(nlp: Language) -> str:
        models = nlp.get_pipe("fr_deals_events").models
        return json.dumps({name: model.to_json() for name, model in models.items()})

    assert stored(again) == stored(tiny)


def test_texts_without_a_deal_teach_when_to_keep_quiet_and_no_more(tiny: Language) -> None:
    articles = [article for template in TEMPLATES for article in passages(template)]
    one = passages(ROUND)[0].text
    quiet = trained(articles, silent=[one] * 20 * learning.PRESS_WEIGHT)
    before, after = (nlp.get_pipe("fr_deals_events").models for nlp in (tiny, quiet))
    assert {name for name in after if name not in before} == {"tells"}
    assert all(before[name].to_json() == after[name].to_json() for name in before)
    assert tiny(one)._.events
    assert not quiet(one)._.events


ANSWERS: dict[str, set[str]] = {
    "party": {*NAME_LABELS, NOTHING},
    "name": {*NAME_LABELS, NOTHING},
    "kind": {*AmountKind, Label.VALUATION, NOTHING},
    **{role: {YES, NO} for role in LINKS},
    "investor": {YES, NO},
    "date": {YES, NO, "expected_close"},
    "company": {YES, NO},
    "operation": {YES, NO},
    "own_worth": {YES, NO},
    "share": {YES, NO},
    "holder": {YES, NO},
    "real": {YES, NO},
    "tells": {YES, NO},
    "type": set(EventType),
    "focus": set(Focus),
    "status": set(Status),
    "certainty": set(Certainty),
    "instrument_kind": {*Instrument, NOTHING},
    "investor_role": set(InvestorRole),
    "commitment": set(Commitment),
    "returning": {"True", "False", NOTHING},
    "basis": set(Basis),
}
"""What each model may answer. One name for two questions would mix their answers."""


def wrong_answers(models: dict[str, LinearModel]) -> dict[str, Sequence[str]]:
    return {
        name: model.classes
        for name, model in models.items()
        if not set(model.classes) <= ANSWERS.get(name, set())
    }


def test_each_model_answers_one_question(tiny: Language) -> None:
    assert not wrong_answers(tiny.get_pipe("fr_deals_events").models)


def test_each_model_of_the_shipped_pipeline_answers_one_question(nlp: Language) -> None:
    models = nlp.get_pipe("fr_deals_events").models
    assert set(models) == set(ANSWERS)
    assert not wrong_answers(models)


@pytest.mark.parametrize("name", ["type", "status", "certainty", "kind", "name"])
def test_the_shipped_models_know_more_than_one_answer(nlp: Language, name: str) -> None:
    assert len(nlp.get_pipe("fr_deals_events").models[name].classes) > 2
