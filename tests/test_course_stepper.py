"""The stepper of chapter 03: it asks before each arrow, and never tells before it is answered."""

import pytest
from kit.figures.ch03 import Stepper, field_and_steps, folded_steps
from kit.scalar import Value


@pytest.fixture
def graph():
    """The test graph: a, b, x, y, z."""
    a, b = Value(2.0, name="a"), Value(3.0, name="b")
    x = a * b
    y = a + x
    z = x * y
    x.name, y.name, z.name = "x", "y", "z"
    return a, b, x, y, z


def test_it_ends_with_the_right_gradients(graph):
    steps = Stepper(graph[-1])
    replies = [steps.answer(text) for text in ("8", "6", "6", "14", "48", "28")]
    assert all(reply.startswith("Right") for reply in replies)
    assert [box.grad for box in graph] == [48.0, 28.0, 14.0, 6.0, 1.0]
    assert steps.question().startswith("Done") and steps.answer("1") == ""


def test_a_question_names_the_arrow_and_not_the_answer(graph):
    steps = Stepper(graph[-1])
    assert steps.question() == "z passes on 1 to x, slope 8. What will x.grad be then?"
    for text in ("8", "6", "6"):  # the last one is for the arrow to a
        steps.answer(text)
    assert steps.question() == "y passes on 6 to x, slope 1. What will x.grad be then?"
    assert "grad 8.0" in steps.picture() and "grad 14.0" not in steps.picture()


def test_a_wrong_prediction_gets_the_sum_and_the_step_is_made(graph):
    steps = Stepper(graph[-1])
    assert steps.answer("6") == "Not quite: x.grad = 0 + 8 × 1 = 8."
    assert graph[2].grad == 8.0


@pytest.mark.parametrize("text", ["", "eight", "8 8"])
def test_no_number_makes_no_step(graph, text):
    steps = Stepper(graph[-1])
    assert "Type a number" in steps.answer(text)
    assert graph[2].grad == 0.0 and steps.done == 0


def test_old_gradients_are_cleared_and_unnamed_boxes_get_names():
    a = Value(3.0, name="a")
    out = a.square() * a
    a.grad = 7.0
    steps = Stepper(out)
    assert a.grad == 0.0 and out.grad == 1.0
    assert len({box.name for box in (a, out, *out.parents)}) == 3
    assert steps.picture().startswith("<svg")


def test_the_button_checks_steps_and_empties_the_field(graph):
    view = field_and_steps(Stepper(graph[-1]))
    question, row, reply, picture = view.children
    field, button = row.children
    before = picture.value
    field.value = "8"
    button.click()
    assert "Right: x.grad" in reply.value and field.value == ""
    assert question.value.startswith("z passes on 1 to y")
    assert picture.value != before


def test_two_arrows_between_the_same_boxes_are_told_apart():
    a = Value(3.0, name="a")
    steps = Stepper(a + a)
    assert "(arrow 1 of 2)" in steps.question()
    steps.answer("1")
    assert "(arrow 2 of 2)" in steps.question()
    assert steps.answer("2") == "Right: a.grad = 1 + 1 × 1 = 2."


def test_on_paper_a_question_stands_inside_the_answer_before(graph):
    page = folded_steps(Stepper(graph[-1]))
    assert page.count("<svg") == 1 and page.count("</summary><p>") == 6
    answers = ("x.grad = 0 + 8 × 1 = 8.", "y.grad = 0 + 6 × 1 = 6.", "a.grad = 0 + 1 × 6 = 6.")
    for depth, answer in enumerate(answers, start=2):  # the whole is folded, too
        before, after = page.split(f"<p>{answer}</p>")
        assert before.endswith("be then?</summary>")
        assert before.count("<details>") - before.count("</details>") == depth
        assert after.startswith("<details><summary>")
    assert "Done: every box has passed on." in page
