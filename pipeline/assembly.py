"""From drafts of deals to the records of the contract, JSON-ready and with every mention."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.codes import GROUP, NOTHING
from pipeline.deals import (
    Draft,
    Worths,
    investor_items,
    share_features,
    worth_features,
)
from pipeline.linear import YES, LinearModels
from pipeline.normalise.dates import interval
from pipeline.normalise.names import slug
from pipeline.schema import EventType, InvestorRole, Label, Qualifier
from pipeline.terms import instrument_of, round_of
from pipeline.view import Item, View

Record = dict[str, Any]
"""A part of the contract's JSON as plain dicts, lists, text and numbers."""

_BESIDE = 5
"""Tokens within which a time or an instrument belongs to the sum before it."""


class Assembler:
    """Writes the deals of one document down."""

    def __init__(self, view: View, models: LinearModels) -> None:
        self._view = view
        self._models = models
        self._worths = Worths(view)
        self._parties: dict[int, Record] = {}
        self._conversions: dict[int, list[Item]] = {}
        for item in view.items:
            money = item.money
            if money is None or money.converts is None or None in (money.value, money.currency):
                continue
            self._conversions.setdefault(money.converts, []).append(item)

    def events(self, drafts: Sequence[Draft]) -> list[Record]:
        """One record a draft, in text order, with ids that are stable for the same deal.

        A worth that turned out to be the sum of another deal is no deal of its own.
        """
        told = (draft for draft in drafts if draft.kind != "valuation" or _worths(draft))
        records = [self._event(draft) for draft in told]
        seen: dict[str, int] = {}
        for record in records:
            base = _identity(record)
            seen[base] = seen.get(base, 0) + 1
            record["id"] = base if seen[base] == 1 else f"{base}-{seen[base]}"
        return records

    def mentions(self) -> list[Record]:
        """Every typed mention, for ``--mentions``."""
        out = []
        for item in self._view.items:
            if item.nominal or item.label == NOTHING:
                continue
            record = {
                **self.mention(item),
                "label": str(Label.INVESTOR if item.label == GROUP else item.label),
            }
            if item.money is not None:
                record["kind"] = item.money.kind or None
                record["money"] = self.money(item)
            elif item.label == Label.DATE:
                record["date"] = self.date(item)
            elif item.party is not None:
                record["party"] = self.party(item.party)["id"]
            out.append(record)
        return out

    # ---- parts --------------------------------------------------------------------------------

    def mention(self, item: Item) -> Record:
        return self._stretch(item.char_start, item.char_end)

    def _stretch(self, start: int, end: int) -> Record:
        return {"start": start, "end": end, "text": self._view.text[start:end]}

    def party(self, party: int) -> Record:
        """Name (the fullest form), id and every mention of a party; not to be changed."""
        if party not in self._parties:
            self._parties[party] = self._party(party)
        return self._parties[party]

    def _party(self, party: int) -> Record:
        items = self._view.parties[party]
        named = [item for item in items if not item.nominal and item.label != GROUP]
        fullest = max(named or items, key=lambda item: (len(item.text), -item.start))
        return {
            "name": fullest.text,
            "id": slug(fullest.text),
            "wikidata": None,
            "named": bool(named),
            "mentions": [self.mention(item) for item in items],
        }

    def money(self, item: Item) -> Record:
        """The contract's Money; the text's own conversion beside it goes to ``also``."""
        code = item.money
        assert code is not None
        is_range = code.qualifier is Qualifier.RANGE
        return {
            "value": None if code.value is None else f"{code.value:f}",
            "min": f"{code.minimum:f}" if is_range else None,
            "max": f"{code.maximum:f}" if is_range else None,
            "currency": code.currency,
            "qualifier": code.qualifier.value,
            "currency_inferred": code.inferred,
            "also": [
                {
                    "value": f"{other.money.value:f}",
                    "currency": other.money.currency,
                    "mention": self.mention(other),
                }
                for other in self._conversions.get(code.number, ())
                if other.money is not None
            ],
            "mention": self.mention(item),
        }

    def date(self, item: Item) -> Record:
        start, end = interval(item.date) if item.date else (None, None)
        return {"value": item.date, "start": start, "end": end, "mention": self.mention(item)}

    # ---- the event ----------------------------------------------------------------------------

    def _event(self, draft: Draft) -> Record:
        view = self._view
        attributes = {name: value for name, (value, _) in draft.attributes.items()}
        investors = self._investors(draft)
        shares, components = self._shares(draft, {i["party"] for i in investors})
        for investor in investors:
            share = shares.get(investor.pop("party"))
            investor["amount"] = self.money(share) if share is not None else None
        instrument = attributes["instrument_kind"]
        round_ = next((r for i in draft.linked("round") if (r := round_of(i.text))), None)
        sources: dict[int, Record] = {}
        for item in draft.linked("source"):
            if item.party is not None and item.party not in sources:
                sources[item.party] = self.party(item.party)
        total = _first(draft.linked("total_raised"))
        date = _best(draft, "date")
        close = _best(draft, "expected_close")
        amount = draft.anchors[0] if draft.kind == "amount" else None
        return {
            "type": EventType.VALUATION.value if draft.kind == "valuation" else attributes["type"],
            "focus": attributes["focus"],
            "status": attributes["status"],
            "certainty": attributes["certainty"],
            "company": self.party(draft.company),
            "amount": self._anchor_money(draft) if amount is not None else None,
            "components": components,
            "total_raised": self.money(total) if total is not None else None,
            "valuations": self._valuations(draft),
            "investors": investors,
            "round": round_,
            "instrument": None if instrument == NOTHING else instrument,
            "date": self.date(date) if date is not None else None,
            "expected_close": self.date(close) if close is not None else None,
            "sources": list(sources.values()),
            "evidence": self._evidence(draft),
            "confidence": self._confidence(draft),
            "trace": self._trace(draft, view),
        }

    def _anchor_money(self, draft: Draft) -> Record:
        """The sum from the mention that says most: with its own currency, qualified or not."""
        best = min(
            draft.anchors,
            key=lambda item: (item.money is None or item.money.inferred, item.start),
        )
        return self.money(best)

    def _investors(self, draft: Draft) -> list[Record]:
        out = []
        for party, _ in investor_items(draft):
            decided = draft.investor_attributes[party]
            returning = decided["returning"][0]
            role = InvestorRole(decided["investor_role"][0])
            out.append(
                {
                    **self.party(party),
                    "role": role.value,
                    "commitment": decided["commitment"][0],
                    "returning": None if returning == NOTHING else returning == "True",
                    "party": party,
                }
            )
        return out

    def _shares(self, draft: Draft, investors: set[int]) -> tuple[dict[int, Item], list[Record]]:
        """Partial sums: each is the own share of an investor beside it, or a component."""
        shares: dict[int, Item] = {}
        components = []
        seen = set()
        for item in draft.linked("component"):
            assert item.money is not None
            if item.money.converts is not None or item.money.same_sum() in seen:
                continue
            seen.add(item.money.same_sum())
            owner = self._beside(item, investors, "share")
            if owner is not None and owner not in shares:
                shares[owner] = item
                continue
            holder = self._beside(item, investors, "holder")
            timing = self._timing(item)
            components.append(
                {
                    "amount": self.money(item),
                    "instrument": self._instrument_beside(item),
                    "investor": self.party(holder)["id"] if holder is not None else None,
                    "timing": self.date(timing) if timing is not None else None,
                }
            )
        return shares, components

    def _beside(self, share: Item, investors: set[int], model: str) -> int | None:
        """The investor in the sentence of a partial sum that ``model`` ties to it."""
        best: tuple[float, int] | None = None
        for other in self._view.by_sent[share.sent]:
            if other.party is not None and other.party in investors:
                features = share_features(self._view, share, other)
                score = self._models[model].probabilities(features).get(YES, 0.0)
                if score >= 0.5 and (best is None or score > best[0]):
                    best = (score, other.party)
        return best[1] if best is not None else None

    def _instrument_beside(self, share: Item) -> str | None:
        """The instrument right after a partial sum ("4 M€ de dette"), or named for all in one."""
        near = [
            item
            for item in self._view.by_sent[share.sent]
            if item.label == Label.INSTRUMENT and 0 <= item.start - share.end <= _BESIDE
        ]
        return instrument_of(near[0].text) if near else None

    def _timing(self, share: Item) -> Item | None:
        """The time right after a partial sum ("puis 1,5 milliard dans les prochains mois")."""
        for item in self._view.by_sent[share.sent]:
            if item.start >= share.end and item.money is not None:
                return None
            if item.label == Label.DATE and 0 <= item.start - share.end <= _BESIDE:
                return item
        return None

    def _valuations(self, draft: Draft) -> list[Record]:
        out: dict[object, Record] = {}
        for item in _worths(draft):
            assert item.money is not None
            if item.money.converts is None and item.money.same_sum() not in out:
                features = worth_features(self._view, draft, item, self._worths)
                basis = self._models["basis"].best(features)
                out[item.money.same_sum()] = {**self.money(item), "basis": basis}
        return list(out.values())

    def _evidence(self, draft: Draft) -> list[Record]:
        sents = {anchor.sent for anchor in draft.anchors}
        sents |= {item.sent for role in ("investor", "valuation") for item in draft.linked(role)}
        out = []
        for sent in sorted(sents):
            low, high = self._view.bounds[sent]
            out.append(self._stretch(low, high))
        return out

    def _confidence(self, draft: Draft) -> float:
        return round(draft.score, 3)

    def _trace(self, draft: Draft, view: View) -> list[str]:
        """The cue rules of the anchors' sentences and the models that had a say."""
        rules = sorted({cue.rule for a in draft.anchors for cue in view.cues[a.sent]})
        models = {"model.ner", "model.kind", "model.company", f"anchor.{draft.kind}"}
        models |= {f"model.{role}" for role in draft.links}
        return [*rules, *sorted(models)]


def _worths(draft: Draft) -> list[Item]:
    """The worths that a draft tells."""
    items = draft.anchors if draft.kind == "valuation" else draft.linked("valuation")
    return [item for item in items if item.label == Label.VALUATION]


def _first(items: Sequence[Item]) -> Item | None:
    return items[0] if items else None


def _best(draft: Draft, role: str) -> Item | None:
    """The most probable date for a role, the first of several equal ones."""
    links = draft.links.get(role, [])
    return max(links, key=lambda link: link[1])[0] if links else None


def _identity(record: Mapping[str, Any]) -> str:
    """A short hash of what makes a deal that deal: type, company, sum or date."""
    amount = record["amount"] or {}
    parts = (
        record["type"],
        record["company"]["id"],
        str(amount.get("value") or amount.get("min")),
        str(amount.get("currency")),
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
