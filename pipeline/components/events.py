"""The last pipe: parts and kinds of the mentions, the deals they make, the records of the contract.

It reads the resolved mentions once into a view, lets the role models relabel names and say
what each sum counts, decides the deals, and leaves ``doc.ents`` with their final labels and
``doc._.events`` with the result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import cast

import srsly
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span
from spacy.training import Example

from pipeline.assembly import Assembler
from pipeline.codes import GROUP, NOTHING
from pipeline.cues import CueMatcher
from pipeline.deals import read_deals
from pipeline.dilated import Floats
from pipeline.errors import ModelError
from pipeline.linear import LinearModel, LinearModels
from pipeline.mention_network import Network, mention_network, note, read, see
from pipeline.relations import note_roles, relations
from pipeline.schema import SCHEMA_VERSION, Event, Label, TypedMention
from pipeline.threads import one_thread
from pipeline.view import PARTY_LABELS, View, read_view, relabel

_NETWORK = "network"


class DealReader(Pipe):
    """Trained by :mod:`pipeline.train`; ``models`` are linear models by name.

    ``network`` reads the mentions where ``doc.tensor`` holds the vectors of the encoder; without
    it (the transformer variant has none) the linear models do with the rest.
    """

    def __init__(self, nlp: Language, name: str = "fr_deals_events") -> None:
        self.name = name
        self.models = LinearModels()
        self.network: Network | None = None
        self._find_cues = CueMatcher(nlp)

    def __call__(self, doc: Doc) -> Doc:
        """Sets ``doc.ents``, ``doc._.events`` and ``doc._.mentions``.

        Raises:
            ModelError: when the component holds no trained models, or a network and the vectors
                that it reads are not there.
        """
        if not self.models:
            raise ModelError(
                "fr_deals_events is not trained: run python -m pipeline.train, or load a model"
            )
        view = self.view(doc)
        relabel(view, self.models)
        drafts = read_deals(view, self.models)
        assembler = Assembler(view, self.models)
        doc._.deal_records = {
            "events": assembler.events(drafts),
            "mentions": assembler.mentions(),
        }
        _set_ents(doc, view)
        return doc

    def view(self, doc: Doc) -> View:
        """The mentions of ``doc`` as :mod:`pipeline.view` holds them."""
        view = read_view(doc, self._find_cues)
        note_roles(view, relations().find(view))
        reading = doc._.links
        if reading is None and self.network is not None:
            if len(doc.tensor) != len(doc):
                raise ModelError(
                    "fr_deals_events: its network reads the vectors of tok2vec; "
                    "keep that pipe in the pipeline, and enabled"
                )
            with one_thread():
                reading = read(self.network, see(view, cast("Floats", doc.tensor)))
        if reading is not None:
            note(view, reading)
        return view

    # ---- spaCy's serialisation ----------------------------------------------------------------

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        network = b"" if self.network is None else self.network.to_bytes()
        models = {name: model.to_json() for name, model in self.models.items()}
        data: bytes = srsly.msgpack_dumps({"models": models, "network": network})
        return data

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> DealReader:
        loaded = srsly.msgpack_loads(data)
        models = loaded["models"].items()
        self.models = LinearModels({name: LinearModel.from_json(model) for name, model in models})
        self._load_network(loaded["network"])
        return self

    def _load_network(self, data: bytes) -> None:
        self.network = mention_network().from_bytes(data) if data else None

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("*.json"):  # what an earlier training left would be loaded again
            stale.unlink()
        for name, model in self.models.items():
            text = json.dumps(model.to_json(), ensure_ascii=False, indent=0, sort_keys=True)
            (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        network = folder / _NETWORK
        network.unlink(missing_ok=True)
        if self.network is not None:
            self.network.to_disk(network)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> DealReader:
        self.models = LinearModels(
            {
                file.stem: LinearModel.from_json(json.loads(file.read_text(encoding="utf-8")))
                for file in sorted(Path(path).glob("*.json"))
            }
        )
        network = Path(path) / _NETWORK
        self._load_network(network.read_bytes() if network.exists() else b"")
        return self

    def initialize(
        self, get_examples: Callable[[], Iterable[Example]], *, nlp: Language | None = None
    ) -> None:
        """Nothing to do: the models come from :mod:`pipeline.train`."""


@Language.factory("fr_deals_events", assigns=["doc.ents"], requires=["doc.ents"])
def create(nlp: Language, name: str) -> DealReader:
    return DealReader(nlp, name)


def _set_ents(doc: Doc, view: View) -> None:
    """The contract's labels in ``doc.ents``: groups are investors, descriptions are left out."""
    spans = []
    for item in view.items:
        if item.nominal or item.label == NOTHING:
            continue
        label = Label.INVESTOR if item.label == GROUP else item.label
        id_ = str(item.party) if item.label in PARTY_LABELS else item.code or item.date or ""
        spans.append(Span(doc, item.start, item.end, label=label, span_id=id_))
    doc.ents = spans


def _events(doc: Doc) -> tuple[Event, ...]:
    """The events of a processed document as models of the contract."""
    digest = sha256(doc.text.encode("utf-8", "surrogatepass")).hexdigest()
    article = {"id": digest[:16], "published": doc._.published, "sha256": digest}
    return tuple(
        Event.model_validate({"schema_version": SCHEMA_VERSION, "article": article, **record})
        for record in (doc._.deal_records or {}).get("events", ())
    )


def _mentions(doc: Doc) -> tuple[TypedMention, ...]:
    """Every typed mention of a processed document."""
    digest = sha256(doc.text.encode("utf-8", "surrogatepass")).hexdigest()
    return tuple(
        TypedMention.model_validate({"article": digest[:16], **record})
        for record in (doc._.deal_records or {}).get("mentions", ())
    )


for _name, _getter in (("events", _events), ("mentions", _mentions)):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, getter=_getter)
