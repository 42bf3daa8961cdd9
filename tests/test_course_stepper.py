"""Chapter 03's stepper on the course's own Values: it asks before each arrow, and tells nothing
before it is answered."""

import re

import pytest
from kit.scalar import Value

from minitensor import viz


@pytest.fixture
def graph():
    """The test graph: a, b, x, y, z."""
    a, b = Value(2.0, name="a"), Value(3.0, name="b")
    x = a * b
    y = a + x
    z = x * y
    x.name, y.name, z.name = "x", "y", "z"
    return a, b, x, y, z


def steps_back(stepper):
    return [step for step in stepper.film.data() if step["kind"] == "backward"]


def test_it_asks_for_the_right_gradients_and_touches_none(graph):
    back = steps_back(viz.step(graph[-1], names={}, predict=True))
    assert [step["want"] for step in back] == [8.0, 6.0, 6.0, 14.0, 48.0, 28.0]
    assert [box.grad for box in graph] == [0.0] * 5


def test_a_question_names_the_arrow_and_not_the_answer(graph):
    back = steps_back(viz.step(graph[-1], names={}, predict=True))
    asked = "y passes its gradient 6 on to x. What will x.grad be then?"
    assert back[3]["ask"] == asked
    assert back[3]["say"] == "y passes on to x: x.grad = 8 + 1 × 6 = 14."


def test_wrong_answers_of_the_chapter_are_known(graph):
    said = {kind: text for kind, _, text in steps_back(viz.step(graph[-1], names={}))[3]["wrong"]}
    assert said["accumulate"].startswith("That is the new share alone. x.grad held 8 already")
    alone = "That is the slope alone: times the gradient of y, 6."
    assert said["upstream"] == f"{alone} And x.grad held 8 already."
    assert set(said) == {"accumulate", "upstream", "sign"}


def test_two_arrows_between_the_same_boxes_are_told_apart():
    a = Value(3.0, name="a")
    back = steps_back(viz.step(a + a, names={}))
    assert ["(arrow 1 of 2)" in back[0]["ask"], "(arrow 2 of 2)" in back[1]["ask"]] == [True, True]
    assert back[1]["say"].endswith("a.grad = 1 + 1 × 1 = 2.")


def test_on_paper_a_question_stands_inside_the_answer_before(graph):
    shown = viz.step(graph[-1], names={}, predict=True).html
    page = shown[shown.index("</iframe>") :]
    answers = re.findall(r"<p>(\w passes on to [^<]*)</p>", page)
    assert [a.rpartition(" = ")[2] for a in answers] == ["8.", "6.", "6.", "14.", "48.", "28."]
    for depth, answer in enumerate(answers, start=2):  # the whole is folded, too
        before, after = page.split(f"<p>{answer}</p>")
        assert before.endswith("be then?</summary>")
        assert before.count("<details>") - before.count("</details>") == depth
        assert after.startswith("<details><summary>") or answer is answers[-1]


def test_the_text_of_the_notebook_gives_no_answer_away(graph):
    text = repr(viz.step(graph[-1], names={}, predict=True, title="Predict"))
    assert text.splitlines() == [
        "Predict",
        "x = a × b = 2 × 3 = 6.",
        "y = a + x = 2 + 6 = 8.",
        "z = x × y = 6 × 8 = 48.",
        "z.grad = 1, the slope of the result at itself.",
        "6 steps to predict",
    ]
