"""From gold articles to the samples of every linear model, and the fit.

The relation models must learn from mentions as the NER really finds them, so their training
documents carry the NER's predictions on text that it was not trained on (by folds), and each
predicted mention is held against the marks of the gold file.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from spacy.tokens import Doc

from pipeline.codes import GROUP, NOM_COMPANY, NOM_INVESTOR, NOTHING
from pipeline.deals import (
    INVESTORS,
    LINKS,
    Candidates,
    Deals,
    Draft,
    Told,
    Worths,
    company_features,
    company_parties,
    deal_features,
    draft_deals,
    investor_evidence,
    investor_features,
    judge_features,
    kept_deals,
    may_be_company,
    may_link,
    operation_features,
    operation_sentences,
    own_worth_features,
    share_features,
    speaking_of,
    worth_features,
)
from pipeline.linear import NO, YES, Features, LinearModel, LinearModels
from pipeline.markup import GoldArticle, GoldEvent, GoldMention
from pipeline.mention_network import COMPANY, INVESTOR, PARTS, SHARED, Answers, Seen
from pipeline.mention_network import LINKS as LINK_NAMES
from pipeline.schema import MONEY_LABELS, NAME_LABELS, AmountKind, EventType, Label
from pipeline.view import PASSES, Item, View, pass_items, relabel

Sample = tuple[str, Features, str]
"""The model, the evidence, the right answer."""

Samples = dict[str, tuple[list[Features], list[str]]]

Silence = Callable[[LinearModels], Iterable[Sample]]
"""What models take for deals in texts that tell none."""


def fold_of(article: GoldArticle, folds: int) -> int:
    """The fold of an article: passages of one story and writer stay together."""
    story = article.head.story or article.path.rsplit("/", 1)[-1]
    digest = hashlib.sha256(story.encode()).hexdigest()
    return int(digest, 16) % folds


@dataclass
class Aligned:
    """A document's view with, for each item, the gold mark that it covers (or ``None``)."""

    article: GoldArticle
    view: View
    gold: list[GoldMention | None]
    party_id: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, article: GoldArticle, view: View) -> Aligned:
        gold = [_covering(item, article.mentions) for item in view.items]
        aligned = cls(article, view, gold)
        for party, items in view.parties.items():
            ids = Counter(
                mark.id for item in items if (mark := gold[item.index]) is not None and mark.id
            )
            if ids:
                aligned.party_id[party] = ids.most_common(1)[0][0]
        return aligned

    def id_of(self, item: Item) -> str | None:
        mark = self.gold[item.index]
        return mark.id if mark is not None else None

    def party_of(self, gold_id: str) -> int | None:
        """The party of the view that is the gold party: the one with most mentions."""
        found = [p for p, id_ in self.party_id.items() if id_ == gold_id]
        return max(found, key=lambda p: len(self.view.parties[p]), default=None)

    def items_of(self, gold_id: str | None) -> list[Item]:
        return [i for i in self.view.items if gold_id is not None and self.id_of(i) == gold_id]


def _family(label: str) -> str:
    if label in MONEY_LABELS:
        return "money"
    if label in NAME_LABELS or label in (GROUP, NOM_COMPANY, NOM_INVESTOR):
        return "party"
    return label


def _covering(item: Item, marks: Sequence[GoldMention]) -> GoldMention | None:
    """The mark of the item's family that shares more than half of their common stretch."""
    for mark in marks:
        shared = min(item.char_end, mark.end) - max(item.char_start, mark.start)
        if shared <= 0 or _family(item.label) != _family(mark.label):
            continue
        if 2 * shared >= max(item.char_end, mark.end) - min(item.char_start, mark.start):
            return mark
    return None


def name_label(mark: GoldMention | None) -> str:
    """The class of a predicted name for the role model."""
    return NOTHING if mark is None else str(mark.label)


def money_kind(mark: GoldMention | None) -> str:
    """The class of a predicted sum for the kind model."""
    if mark is None:
        return NOTHING
    return str(mark.kind) if mark.kind is not None else str(Label.VALUATION)


def mention_samples(document: Aligned, model: str) -> Iterator[Sample]:
    """Samples of one of the models that relabel mentions."""
    for items, features in pass_items(document.view, model):
        marks = [document.gold[item.index] for item in items]
        if model == "kind":
            yield model, features, money_kind(marks[0])
        elif model == "name":
            yield model, features, name_label(marks[0])
        else:
            yield model, features, party_label(marks)


def party_label(marks: Sequence[GoldMention | None]) -> str:
    """What a party is in the article: a company if it is one anywhere, else an investor …"""
    labels = [name_label(mark) for mark in marks]
    for label in (Label.COMPANY, Label.INVESTOR):
        if label in labels:
            return str(label)
    return Counter(labels).most_common(1)[0][0]


def gold_drafts(document: Aligned) -> list[tuple[Draft, GoldEvent]]:
    """The gold events of a document as drafts over the predicted mentions.

    An event of which no anchor or company was found among the predicted mentions is left out:
    nothing can be learnt from it here, and the scores count it as missed.
    """
    out = []
    for event in document.article.events:
        company = document.party_of(event.company)
        if company is None:
            continue
        if event.amount is not None:
            anchors = document.items_of(event.amount)
            kind = "amount"
        elif event.type is EventType.VALUATION and event.valuations:
            anchors = [i for v in event.valuations for i in document.items_of(v.ref)]
            kind = "valuation"
        else:
            anchors = _operation_anchor(document, event, company)
            kind = "operation"
        if anchors:
            anchors = sorted(anchors, key=lambda item: item.start)
            out.append((Draft(kind, anchors, company), event))
    out.sort(key=lambda pair: (pair[0].anchors[0].start, pair[0].company))
    return out


def _operation_anchor(document: Aligned, event: GoldEvent, company: int) -> list[Item]:
    """The company's mention in the sentence that tells an event without a sum.

    It is the first sentence that may tell an operation and also names an investor or the date
    of the event, else the first that does one of the two, else the first.
    """
    view = document.view
    named = {item.sent for item in view.parties[company]}
    telling = set(operation_sentences(view, company))
    partners = {i.ref for i in event.investors} | {event.date}
    with_partner = {
        sent for sent in named if any(document.id_of(i) in partners for i in view.by_sent[sent])
    }
    choices = (telling & with_partner, with_partner, telling, named)
    chosen = next((min(sents) for sents in choices if sents), None)
    return [i for i in view.parties[company] if i.sent == chosen][:1]


def relation_samples(document: Aligned) -> Iterator[Sample]:
    """Samples of the models that tie mentions to deals and read their attributes.

    The items of ``document`` must carry their final labels and kinds.
    """
    view = document.view
    pairs = gold_drafts(document)
    drafts = [draft for draft, _ in pairs]
    events = [event for _, event in pairs]
    yield from _company_samples(document, drafts)
    yield from _operation_samples(document, drafts)
    deals = Deals(view, drafts)
    told = Told(view, [draft for draft in drafts if draft.kind != "valuation"])
    own_worths = {v.ref for e in events if e.type is EventType.VALUATION for v in e.valuations}
    for item in view.items:
        if item.label == Label.VALUATION:
            label = YES if document.id_of(item) in own_worths else NO
            yield "own_worth", own_worth_features(told, item), label
    yield from _link_samples(document, deals, events)
    _fill(document, deals, events)
    worths = Worths(view)
    for draft, event in pairs:
        yield from _worth_samples(document, draft, event, worths)
        yield from _share_samples(document, event)
    yield from _attribute_samples(document, deals, events)


def corrected_samples(document: Aligned, drafted: Deals, models: LinearModels) -> Iterator[Sample]:
    """Samples of links and attributes on the deals that ``models`` see, where some are wrong.

    ``drafted`` are those that they draft. What else :func:`relation_samples` asks is not asked
    again. The kinds that this gives to the sums of ``document`` stay.
    """
    deals = kept_deals(drafted, models)
    events = [_event_of(document, draft) for draft in deals.drafts]
    yield from _link_samples(document, deals, events)
    yield from _attribute_samples(document, deals, events)


def _link_samples(
    document: Aligned, deals: Deals, events: Sequence[GoldEvent | None]
) -> Iterator[Sample]:
    """Which mention and which party belongs to which of the ``deals``; ``None`` is no deal."""
    for item in document.view.items if deals.drafts else ():
        for role in LINKS:
            if may_link(item, role):
                for at, features in deals.evidence(item):
                    is_nearest = _is_nearest(deals, at, item)
                    yield role, features, _link_label(document, item, role, events[at], is_nearest)
    for mentions, evidence in investor_evidence(deals) if deals.drafts else ():
        for at, features in evidence.items():
            yield "investor", features, _invests(document, mentions[0], events[at])


def _attribute_samples(
    document: Aligned, deals: Deals, events: Sequence[GoldEvent | None]
) -> Iterator[Sample]:
    """What the deals and their investors are; the drafts hold their links."""
    for at, event in enumerate(events):
        if event is None:
            continue
        yield from _investor_samples(document, deals.drafts[at], event)
        features = deal_features(deals, at)
        yield "type", features, event.type
        yield "focus", features, event.focus
        yield "status", features, event.status
        yield "certainty", features, event.certainty
        yield "instrument_kind", features, str(event.instrument or NOTHING)


def _company_samples(document: Aligned, drafts: Sequence[Draft]) -> Iterator[Sample]:
    candidates = company_parties(document.view)
    among = Candidates(document.view, candidates, most=len(candidates))
    for draft in drafts:
        if draft.kind == "operation" or draft.company not in candidates or len(candidates) < 2:
            continue
        for anchor in draft.anchors:
            evidence = dict(company_features(among, anchor))
            for party in candidates:
                yield "company", evidence[party], YES if party == draft.company else NO


def _operation_samples(document: Aligned, drafts: Sequence[Draft]) -> Iterator[Sample]:
    view = document.view
    table = Told(view, [draft for draft in drafts if draft.kind == "amount"])
    told = {(draft.company, draft.anchors[0].sent) for draft in drafts if draft.kind == "operation"}
    for party, items in view.parties.items():
        if may_be_company(items):
            for sent in operation_sentences(view, party):
                features = operation_features(table, party, sent)
                yield "operation", features, YES if (party, sent) in told else NO


def _gold_id(document: Aligned, item: Item) -> str | None:
    """What an item stands for; a party stands for one thing wherever it is named."""
    if item.party is not None:
        return document.party_id.get(item.party)
    return document.id_of(item)


def _link_label(
    document: Aligned, item: Item, role: str, event: GoldEvent | None, is_nearest: bool
) -> str:
    """Whether a mention plays ``role`` in a gold event.

    Of a round or an instrument the marks say not whose it is: it is that of the nearest deal
    that has one.
    """
    if event is None:
        return NO
    if role in ("round", "instrument"):
        told = event.round if role == "round" else event.instrument
        return YES if told is not None and is_nearest else NO
    id_ = _gold_id(document, item)
    if id_ is None:
        return NO
    if role == "date":
        if id_ == event.date:
            return YES
        return "expected_close" if id_ == event.expected_close else NO
    members: dict[str, set[str | None]] = {
        "valuation": {v.ref for v in event.valuations},
        "source": set(event.sources),
        "total_raised": {event.total_raised},
        "component": {
            *(component.amount for component in event.components),
            *(investor.amount for investor in event.investors),
        },
    }
    return YES if id_ in members[role] else NO


def network_answers(document: Aligned, seen: Seen) -> Answers:
    """What is right of the mentions of a document, for the network that reads them."""
    items = document.view.items
    parts = np.full(len(items), -1, np.int32)
    for item in items:
        if item.party is not None:
            parts[item.index] = PARTS.index(name_label(document.gold[item.index]))
        elif item.money is not None:
            parts[item.index] = PARTS.index(f"sum:{money_kind(document.gold[item.index])}")
    ids = [_gold_id(document, item) for item in items]
    links = np.zeros((len(seen.first), len(LINK_NAMES)), np.float32)
    for event in document.article.events:
        plays = np.array([id_ is not None and id_ in event.members for id_ in ids], bool)
        invests = {investor.ref for investor in event.investors}
        partner = plays[seen.second]
        for question, is_one in (
            (SHARED, plays),
            (COMPANY, np.array([id_ == event.company for id_ in ids], bool)),
            (INVESTOR, np.array([id_ in invests for id_ in ids], bool)),
        ):
            links[is_one[seen.first] & partner, question] = 1
    return Answers(parts, links)


def _is_nearest(deals: Deals, at: int, item: Item) -> bool:
    """Whether no other draft stands nearer to an item than the one at ``at``."""
    near = deals.nearest(item)
    closest, _ = next(iter(near.values()))
    return at in near and near[at][0] == closest


def _invests(document: Aligned, item: Item, event: GoldEvent | None) -> str:
    id_ = _gold_id(document, item)
    known = event is not None and id_ in {investor.ref for investor in event.investors}
    return YES if known else NO


def _fill(document: Aligned, deals: Deals, events: Sequence[GoldEvent]) -> None:
    """Gives gold drafts their gold links and roles, as the attribute models see them."""
    for at, (draft, event) in enumerate(zip(deals.drafts, events, strict=True)):
        for item in document.view.items:
            for role in LINKS:
                if may_link(item, role):
                    is_nearest = _is_nearest(deals, at, item)
                    label = _link_label(document, item, role, event, is_nearest)
                    if label != NO:
                        name = role if label == YES else label
                        draft.links.setdefault(name, []).append((item, 1.0))
    for mentions, evidence in investor_evidence(deals):
        for at in evidence:
            draft, event = deals.drafts[at], events[at]
            if _invests(document, mentions[0], event) == NO:
                continue
            party = mentions[0].party or 0
            gold = next(i for i in event.investors if i.ref == document.party_id[party])
            links = draft.links.setdefault("investor", [])
            links += [(item, 1.0) for item in speaking_of(deals, mentions, at)]
            links.sort(key=lambda link: link[0].start)
            draft.investor_attributes[party] = {
                "investor_role": (gold.role, 1.0),
                "commitment": (gold.commitment, 1.0),
            }


def _investor_samples(document: Aligned, draft: Draft, event: GoldEvent) -> Iterator[Sample]:
    for gold in event.investors:
        party = document.party_of(gold.ref)
        items = [item for item in draft.linked("investor") if item.party == party]
        if items:
            features = investor_features(document.view, draft, items)
            yield "investor_role", features, gold.role
            yield "commitment", features, gold.commitment
            yield "returning", features, NOTHING if gold.returning is None else str(gold.returning)


def _worth_samples(
    document: Aligned, draft: Draft, event: GoldEvent, worths: Worths
) -> Iterator[Sample]:
    for valuation in event.valuations:
        for item in document.items_of(valuation.ref):
            if item.label == Label.VALUATION:
                yield "basis", worth_features(document.view, draft, item, worths), valuation.basis


def _share_samples(document: Aligned, event: GoldEvent) -> Iterator[Sample]:
    """Whose own money a partial sum is (``share``); who stands behind a tranche (``holder``)."""
    shares = {i.amount: i.ref for i in event.investors if i.amount}
    tranches = {c.amount: c.investor or "" for c in event.components}
    for item in document.view.items:
        id_ = document.id_of(item)
        if item.money is None or item.money.kind != AmountKind.COMPONENT:
            continue
        if id_ not in shares and id_ not in tranches:
            continue
        for other in document.view.by_sent[item.sent]:
            if other.label in INVESTORS and other.party is not None:
                features = share_features(document.view, item, other)
                gold = document.party_id.get(other.party)
                yield "share", features, YES if gold == shares.get(id_) else NO
                if id_ in tranches:
                    yield "holder", features, YES if gold == tranches[id_] else NO


def collect(samples: Iterable[Sample]) -> Samples:
    """Groups samples by model."""
    out: Samples = defaultdict(lambda: ([], []))
    for model, features, label in samples:
        out[model][0].append(features)
        out[model][1].append(str(label))
    return dict(out)


STRENGTH = {"party": 0.1, "name": 0.3, "kind": 0.3}
"""Inverse regularisation where it differs from the default, chosen by cross-validation."""


def fit(samples: Samples) -> LinearModels:
    """One linear model for each name."""
    return LinearModels(
        {
            name: LinearModel.fit(features, labels, strength=STRENGTH.get(name, 0.1))
            for name, (features, labels) in sorted(samples.items())
        }
    )


def learn(
    documents: Sequence[tuple[GoldArticle, Doc]],
    view: Callable[[Doc], View],
    folds: int,
    silence: Silence = lambda models: (),
) -> LinearModels:
    """All linear models, from gold articles and their documents with predicted mentions.

    The relation models see mentions as models of other folds label them, and the model that
    judges a whole deal sees deals as models of other folds draft them; so each learns from the
    mistakes that the one before it will make on new text. Links and attributes are learnt from
    the deals of the gold, and once more from those that models of other folds see.

    ``silence`` is asked last, when the other models are there: what they take for deals in texts
    that tell none (:func:`silent_samples`). If it says something, one more model learns when an
    article tells none at all; it has no say in which drafts of an article are deals, because there
    the written passages are the rule.
    """
    aligned = [Aligned.of(article, view(doc)) for article, doc in documents]
    fold = [fold_of(article, folds) for article, _ in documents]
    models = LinearModels()
    for model in PASSES:
        samples = [weighted(d, mention_samples(d, model)) for d in aligned]
        models |= fit(collect(chain.from_iterable(samples)))
        rests = left_out(samples, fold)
        for document, own in zip(aligned, fold, strict=True):
            relabel(document.view, rests[own], [model])
    relations = [weighted(document, relation_samples(document)) for document in aligned]
    rests = left_out(relations, fold)
    drafted = [draft_deals(d.view, rests[own]) for d, own in zip(aligned, fold, strict=True)]
    judged = [
        weighted(d, judge_samples(d, deals)) for d, deals in zip(aligned, drafted, strict=True)
    ]
    readers = {k: rests[k] | judges for k, judges in left_out(judged, fold).items()}
    for document, deals, known, own in zip(aligned, drafted, relations, fold, strict=True):
        known += weighted(document, corrected_samples(document, deals, readers[own]))
    models |= fit(collect(chain(chain.from_iterable(relations), chain.from_iterable(judged))))
    silent = list(silence(models))
    if not silent:
        return models
    telling = [("tells", features, label) for _, features, label in chain.from_iterable(judged)]
    return models | fit(collect(chain(telling, silent)))


PRESS_WEIGHT = 20
"""How often the samples of a real article count, beside those of a written passage."""


def weighted(document: Aligned, samples: Iterable[Sample]) -> list[Sample]:
    """The samples, repeated where the article is real press (it names no writer)."""
    return list(samples) * (PRESS_WEIGHT if document.article.head.writer is None else 1)


def left_out(samples: Sequence[Sequence[Sample]], fold: Sequence[int]) -> dict[int, LinearModels]:
    """For each fold the models of all other folds."""
    return {
        k: fit(collect(s for own, f in zip(samples, fold, strict=True) if f != k for s in own))
        for k in sorted(set(fold))
    }


def judge_samples(document: Aligned, deals: Deals) -> Iterator[Sample]:
    """Samples of the model that tells real deals from drafts that are none.

    A draft is real where the gold article has a deal of its company with its sum, or, where it
    has no sum, a deal of its company without one.
    """
    for at, draft in enumerate(deals.drafts):
        event = _event_of(document, draft)
        real = event is not None and event.company == document.party_id.get(draft.company)
        label = YES if real else NO
        yield "real", judge_features(deals, at), label


def silent_samples(view: View, models: LinearModels) -> Iterator[Sample]:
    """Samples of the model that says whether an article tells any deal, of one that does not."""
    relabel(view, models)
    deals = draft_deals(view, models)
    for at in range(len(deals.drafts)):
        yield "tells", judge_features(deals, at), NO


def _event_of(document: Aligned, draft: Draft) -> GoldEvent | None:
    """The gold event that a draft tells, if need be of another company that has its sum."""
    company = document.party_id.get(draft.company)
    sums = {id_ for anchor in draft.anchors if (id_ := document.id_of(anchor)) is not None}
    events = document.article.events
    for event in events:
        if event.company != company:
            continue
        if draft.kind == "amount" and event.amount in sums:
            return event
        if draft.kind == "valuation" and sums & {v.ref for v in event.valuations}:
            return event
        if draft.kind == "operation" and event.amount is None and event.type != "valuation":
            return event
    same_sum = (event for event in events if draft.kind == "amount" and event.amount in sums)
    return next(same_sum, None)
