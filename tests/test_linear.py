"""The linear models: learnt by scikit-learn, kept as numbers, read without it."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import linear
from pipeline.linear import NO, YES, LinearModel, LinearModels, stepped

WEATHER = [["cloud", "wind"], ["cloud"], ["sun"], ["sun", "wind"], ["snow"], ["snow", "wind"]] * 3
ANSWERS = ["rain", "rain", "dry", "dry", "white", "white"] * 3


def test_it_learns_what_it_saw() -> None:
    model = LinearModel.fit(WEATHER, ANSWERS, strength=10)
    assert model.classes == ("dry", "rain", "white")
    assert [model.best(features) for features in WEATHER] == ANSWERS


def test_two_classes() -> None:
    model = LinearModel.fit([["a"], ["a"], ["b"], ["b"]], ["x", "x", "y", "y"], strength=10)
    assert (model.best(["a"]), model.best(["b"])) == ("x", "y")
    probabilities = model.probabilities([])
    assert probabilities["x"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("labels", [["x", "y", "x", "y", "x"], ["x", "y", "z", "y", "x"]])
def test_probabilities_are_those_of_scikit_learn(labels: list[str]) -> None:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    samples = [["a", "b"], ["b", "c"], ["a", "c"], ["c"], ["a", "b", "c"]]
    vectors = DictVectorizer().fit_transform([dict.fromkeys(s, 1.0) for s in samples])
    reference = LogisticRegression(C=1.0, max_iter=2000).fit(vectors, labels)
    model = LinearModel.fit(samples, labels, strength=1.0, min_count=1)
    assert list(model.classes) == list(reference.classes_)
    for sample, expected in zip(samples, reference.predict_proba(vectors), strict=True):
        found = list(model.probabilities(sample).values())
        assert found == pytest.approx(list(expected), abs=1e-3)


def test_rare_features_are_left_out() -> None:
    samples = [["often", "once"], ["often"], ["other"], ["other"]]
    labels = ["x", "x", "y", "y"]
    weights = LinearModel.fit(samples, labels, min_count=2).to_json()["weights"]
    assert set(weights) == {"often", "other"}


def test_the_matrix_is_that_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    rng = random.Random(3)
    samples = [rng.choices("abcdefghijklmnop", k=rng.randrange(6)) for _ in range(60)]
    reference = CountVectorizer(analyzer=iter, binary=True, min_df=8, dtype=np.float32)
    expected = reference.fit_transform(samples)
    expected.sort_indices()
    matrix, names = linear._matrix(samples, 8)
    assert names == reference.get_feature_names_out().tolist()
    assert 0 < len(names) < 16
    for ours, theirs in (
        (matrix.data, expected.data),
        (matrix.indices, expected.indices),
        (matrix.indptr, expected.indptr),
    ):
        assert ours.dtype == theirs.dtype
        assert ours.tolist() == theirs.tolist()


def test_a_feature_given_twice_counts_once_in_training() -> None:
    samples = [["a", "a"], ["a"], ["b"], ["b"]]
    labels = ["x", "x", "y", "y"]
    once = [["a"], ["a"], ["b"], ["b"]]
    assert LinearModel.fit(samples, labels).to_json() == LinearModel.fit(once, labels).to_json()


def test_unknown_features_count_as_absent() -> None:
    model = LinearModel.fit(WEATHER, ANSWERS)
    assert model.probabilities(["sun", "fog"]) == model.probabilities(["sun"])
    assert model.probabilities(["fog"]) == model.probabilities([])


def test_models_asked_together_say_what_each_says() -> None:
    mood = LinearModel.fit([["sun"], ["snow"]] * 3, ["good", "bad"] * 3)
    models = LinearModels({"weather": MODEL, "mood": mood, "one": LinearModel.fit([["a"]], ["x"])})
    for features in ([], ["fog"], ["sun"], ["sun", "wind"], ["snow", "cloud"]):
        together = models.probabilities(("mood", "one", "weather"), features)
        assert list(together) == ["mood", "one", "weather"]
        for name, chances in together.items():
            assert chances == pytest.approx(models[name].probabilities(features))
        answers = models.answers(("weather", "mood"), features)
        assert {name: best for name, (best, _) in answers.items()} == {
            name: models[name].best(features) for name in ("weather", "mood")
        }


def test_models_are_joined_by_name() -> None:
    first, second = LinearModels({"a": MODEL}), LinearModels({"b": MODEL})
    joined = first | second
    assert sorted(joined) == ["a", "b"]
    assert joined.answers(("a", "b"), ["sun"])["b"] == MODEL.answer(["sun"])


def test_one_class_is_always_the_answer() -> None:
    model = LinearModel.fit([["a"], ["b"]], ["x", "x"])
    assert model.classes == ("x",)
    assert model.probabilities(["c"]) == {"x": 1.0}


def test_no_sample_at_all() -> None:
    assert LinearModel.fit([], []).probabilities(["a"]) == {"none": 1.0}


def test_ties_go_to_the_first_class() -> None:
    model = LinearModel(["b", "a", "c"], [0.0, 0.0, -1.0], {"up": [0.0, 1.0, 0.0]})
    assert model.best([]) == "b"
    assert model.best(["up"]) == "a"


def test_a_chance_is_told_by_the_steps_that_it_exceeds() -> None:
    steps = (2, 5, 10, 20)
    assert stepped("x", 12, steps) == ("x>2", "x>5", "x>10")
    assert stepped("x", 2, steps) == stepped("x", -1, steps) == ()
    assert stepped("x", 10.5, steps) == ("x>2", "x>5", "x>10")


def test_softmax() -> None:
    model = LinearModel(["x", "y"], [1.0, 0.0], {"f": [0.5, 2.0]})
    top = math.exp(1.5) / (math.exp(1.5) + math.exp(2.0))
    assert model.probabilities(["f"]) == pytest.approx({"x": top, "y": 1 - top})


def test_large_weights_do_not_overflow() -> None:
    model = LinearModel(["x", "y"], [0.0, 0.0], {"f": [5000.0, -5000.0]})
    assert model.probabilities(["f"]) == {"x": 1.0, "y": 0.0}


@given(st.lists(st.sampled_from(["cloud", "sun", "snow", "wind", "fog"]), max_size=5))
def test_json_gives_the_same_probabilities(features: list[str]) -> None:
    read = LinearModel.from_json(json.loads(json.dumps(MODEL.to_json())))
    assert read.probabilities(features) == MODEL.probabilities(features)
    assert sum(read.probabilities(features).values()) == pytest.approx(1)


MODEL = LinearModel.fit(WEATHER, ANSWERS)


def test_the_same_samples_give_the_same_bytes() -> None:
    assert json.dumps(LinearModel.fit(WEATHER, ANSWERS).to_json()) == json.dumps(MODEL.to_json())


def test_the_order_of_features_does_not_matter() -> None:
    """Sets give their members in another order in each process."""
    turned = [features[::-1] for features in WEATHER]
    assert LinearModel.fit(turned, ANSWERS).to_json() == MODEL.to_json()
    rng = random.Random(1)
    samples = [rng.sample([f"f{n}" for n in range(200)], 30) for _ in range(300)]
    labels = [rng.choice("abcde") for _ in samples]
    shuffled = [rng.sample(features, len(features)) for features in samples]
    one, other = (LinearModel.fit(given, labels).to_json() for given in (samples, shuffled))
    assert json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def test_inference_needs_no_scikit_learn() -> None:
    script = (
        "import json, sys\n"
        "from pipeline.linear import LinearModel\n"
        "model = LinearModel.from_json(json.load(sys.stdin))\n"
        "print(model.best(['sun']), 'sklearn' in sys.modules, 'scipy' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        input=json.dumps(MODEL.to_json()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["dry", "False", "False"]


def test_what_no_text_ever_asked_is_answered_with_no() -> None:
    model = LinearModel.fit([["a"], ["a"], ["b"], ["b"]], [YES, YES, NO, NO], strength=10)
    models = LinearModels({"asked": model})
    assert models["never"].best(["a"]) == NO
    answers = models.answers(("asked", "never"), ["a"])
    assert [answers["asked"][0], answers["never"]] == [YES, (NO, 1.0)]
    assert list(models) == ["asked"]
