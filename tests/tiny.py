"""A small made-up pipeline: names from a list, everything else learnt from a few passages."""

from __future__ import annotations

from collections.abc import Sequence

import spacy
from spacy.language import Language

import pipeline.library  # noqa: F401  (registers the components)
from pipeline.learning import learn, silent_samples
from pipeline.markup import GoldArticle, parse
from pipeline.view import View

COMPANIES = ("Ovalie Robotics", "Bivouac Santé", "Mirabelle", "Tramontane")
FUNDS = ("Fonds Garonne", "Loire Capital", "Aber Ventures", "Causse Invest")
MEDIA = ("La Lettre Bleue", "Le Courrier du Soir")
DESCRIPTIONS = ("La start-up", "la start-up")
TERMS = {"série B": "ROUND", "capital": "INSTRUMENT", "dette": "INSTRUMENT"}

ROUND = """+++
[[event]]
type = "financing"
company = "c1"
amount = "a1"
round = "series_b"
date = "d1"
investors = [{{ref = "i1", role = "lead"}}, {{ref = "i2"}}]
valuations = [{{ref = "v1", basis = "post_money"}}]
total_raised = "a2"
sources = ["m1"]
+++
[{company}](COMPANY c1) lève [12 millions d'euros](AMOUNT a1 value=12000000 currency=EUR \
kind=deal) en [série B](ROUND) en [mai 2023](DATE d1 value=2023-05), un tour mené par \
[{fund}](INVESTOR i1) avec la participation de [{other}](INVESTOR i2).
[La start-up](COMPANY c1 nom) est désormais valorisée \
[90 millions d'euros](VALUATION v1 value=90000000 currency=EUR).
Elle a levé [30 millions d'euros](AMOUNT a2 value=30000000 currency=EUR kind=total_raised) depuis \
sa création, selon [{medium}](MEDIA m1).
"""
PACKAGE = """+++
[[event]]
type = "financing"
company = "c1"
amount = "a1"
instrument = "mixed"
components = [{{amount = "a2", instrument = "equity"}}, {{amount = "a3", instrument = "debt"}}]
investors = [{{ref = "i1", amount = "a4"}}]
+++
[{company}](COMPANY c1) obtient [20 M€](AMOUNT a1 value=20000000 currency=EUR kind=deal), \
dont [15 M€](AMOUNT a2 value=15000000 currency=EUR kind=component) en [capital](INSTRUMENT) et \
[5 M€](AMOUNT a3 value=5000000 currency=EUR kind=component) de [dette](INSTRUMENT).
[{fund}](INVESTOR i1) apporte [2 M€](AMOUNT a4 value=2000000 currency=EUR kind=component).
"""
TAKEOVER = """+++
[[event]]
type = "acquisition"
company = "c1"
investors = [{{ref = "i1", role = "buyer"}}]
+++
[{fund}](INVESTOR i1) rachète [{company}](COMPANY c1).
"""
WORTH = """+++
[[event]]
type = "valuation"
company = "c1"
valuations = [{{ref = "v1"}}]
+++
[{company}](COMPANY c1) vaut [2 milliards d'euros](VALUATION v1 value=2000000000 currency=EUR).
"""
NO_DEAL = """+++
+++
[{company}](ORG o1) réalise un chiffre d'affaires de \
[3 millions d'euros](AMOUNT a1 value=3000000 currency=EUR kind=revenue).
"""
ROUNDUP = """+++
[[event]]
type = "financing"
company = "c1"
amount = "a1"
[[event]]
type = "financing"
company = "c2"
amount = "a2"
+++
[{company}](COMPANY c1) lève [8 millions d'euros](AMOUNT a1 value=8000000 currency=EUR kind=deal).
[{rival}](COMPANY c2) lève [4 millions d'euros](AMOUNT a2 value=4000000 currency=EUR kind=deal).
"""
STORIES = ("one", "four")
"""Stories of different folds, so that each fold has every template."""

TEMPLATES = (ROUND, PACKAGE, TAKEOVER, WORTH, NO_DEAL, ROUNDUP)


def passages(template: str) -> list[GoldArticle]:
    """The template with each of the names in turn."""
    return [
        parse(
            template.format(
                company=COMPANIES[turn],
                rival=COMPANIES[turn - 1],
                fund=FUNDS[turn],
                other=FUNDS[turn - 1],
                medium=MEDIA[turn % 2],
            ),
            path=f"{TEMPLATES.index(template)}/{STORIES[turn % 2]}",
        )
        for turn in range(len(COMPANIES))
    ]


def untrained() -> Language:
    """The pipeline with names from a list and a deal reader that holds no models."""
    nlp = spacy.blank("fr_deals")
    nlp.add_pipe("fr_deals_sentences")
    ruler = nlp.add_pipe("entity_ruler")
    labels = {
        **dict.fromkeys(COMPANIES, "COMPANY"),
        **dict.fromkeys(FUNDS, "INVESTOR"),
        **dict.fromkeys(MEDIA, "MEDIA"),
        **dict.fromkeys(DESCRIPTIONS, "NOM_COMPANY"),
        **TERMS,
    }
    ruler.add_patterns([{"label": label, "pattern": name} for name, label in labels.items()])
    nlp.add_pipe("fr_deals_mentions")
    nlp.add_pipe("fr_deals_events")
    return nlp


def trained(articles: Sequence[GoldArticle], silent: Sequence[str] = ()) -> Language:
    """The same pipeline with models that learnt from ``articles`` and from texts without a deal."""
    nlp = untrained()
    with nlp.select_pipes(disable=["fr_deals_events"]):
        documents = [(article, nlp(article.text)) for article in articles]
        quiet = [nlp(text) for text in silent]
    reader = nlp.get_pipe("fr_deals_events")
    reader.models = learn(
        documents,
        reader.view,
        folds=2,
        silence=lambda models: (s for d in quiet for s in silent_samples(reader.view(d), models)),
    )
    return nlp


def viewed(nlp: Language, text: str) -> View:
    """What the deal reader sees of a text before any model has its say."""
    with nlp.select_pipes(disable=["fr_deals_events"]):
        doc = nlp(text)
    view: View = nlp.get_pipe("fr_deals_events").view(doc)
    return view
