"""The stepper's data: sentences, questions, wrong answers, folding; a page that stands alone."""

import html
import json
import math
import re

import numpy as np
import pytest

import minitensor as mt
from minitensor import viz
from minitensor.viz import page, render
from minitensor.viz.explain import Explainer, brief
from minitensor.viz.player import Film, close


def leaf(*values):
    return mt.tensor(*values, requires_grad=True)


def film_of(loss, **names):
    return Film(viz.trace(loss, names))


def questions(film):
    return [step for step in film.data() if "ask" in step]


# -- wrong answers ---------------------------------------------------------------------------------


def slips(step):
    return {kind: value for kind, value, _ in step["wrong"]}


def test_the_typical_wrong_answers_where_shares_meet():
    w, x = leaf(0.5), leaf(-0.25)
    h = w * x
    film = film_of((h * h + h) * 4, w=w, x=x, h=h)
    third = [q for q in questions(film) if "on to h" in q["ask"]][2]
    # 4 came from the sum, and twice -0.125 times 4 from the square
    assert third["want"] == 3.0 and "(arrow 2 of 2)" in third["ask"]
    found = slips(third)
    assert found["accumulate"] == -0.5 and found["sign"] == -3.0
    slips_of_one_kind = [value for kind, value, _ in third["wrong"] if kind == "upstream"]
    assert slips_of_one_kind == [3.375, -0.125]
    assert film.data()[1]["say"] == "v1 = h × h = -0.125 × (-0.125) = 0.01562."


def test_the_slope_at_the_output_and_the_forgotten_upstream():
    x = leaf(0.5)
    y = x.tanh()
    out = y * 3
    (asked,) = [q for q in questions(film_of(out, x=x, y=y)) if "on to x" in q["ask"]]
    t = np.tanh(0.5)
    assert asked["want"] == pytest.approx(3 * (1 - t**2), rel=1e-5)
    found = slips(asked)
    assert found["output"] == pytest.approx(3 * (1 - np.tanh(t) ** 2), rel=1e-5)
    assert found["upstream"] == pytest.approx(1 - t**2, rel=1e-5)
    assert found["slope"] == 3.0 and found["value"] == 0.5
    said = {kind: text for kind, _, text in asked["wrong"]}
    assert said["output"] == "You took the slope at the output, y. It is wanted at the input, x."


def test_the_slope_of_the_other_input():
    a, b = leaf(5.0), leaf(7.0)
    asked = questions(film_of(a / b, a=a, b=b))
    assert slips(asked[0])["swapped"] == pytest.approx(-5 / 49, rel=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_no_wrong_answer_is_right_and_no_two_are_alike(seed):
    random = np.random.default_rng(seed)
    a, b = (leaf(float(v)) for v in random.integers(-3, 4, 2))
    out = (a * b + a).tanh() * (b - a) + a
    for asked in questions(film_of(out, a=a, b=b)):
        numbers = [asked["want"], *slips(asked).values()]
        for i, one in enumerate(numbers):
            assert not any(close(other, one) for other in numbers[:i])
        assert all(map(math.isfinite, numbers))


def test_of_a_tensor_the_entry_with_the_largest_share_is_asked_for():
    w = leaf([[1.0, -4.0], [2.0, 3.0]])
    asked = questions(film_of((w * w).sum(), w=w))
    assert "What will w.grad[0, 1] be then?" in asked[-1]["ask"] and asked[-1]["want"] == -8.0


def test_what_is_not_finite_or_not_known_is_not_asked():
    w = leaf(0.0)
    assert all("on to w" not in q["ask"] for q in questions(film_of(w.log(), w=w)))
    large = mt.ones(100, 100, requires_grad=True)
    film = film_of((large + large).sum(), large=large)
    assert "gets a share, all 1" in film.data()[-1]["say"] and "ask" not in film.data()[-1]


# -- what is shown ---------------------------------------------------------------------------------


def test_a_step_has_its_rule_its_numbers_and_its_sum():
    x = leaf(0.5)
    out = x.tanh()
    step = film_of(out, x=x, out=out).data()[-1]
    text = {name: re.sub(r"<[^>]*>", "", step[name]) for name in ("rule", "numbers", "sum")}
    assert text == {
        "rule": "∂out∂x=1−out2",
        "numbers": "1−0.46212=0.7864",
        "sum": "x.grad=0+0.7864·1=0.7864",
    }
    assert step["slope"] == "0.7864" and step["arrow"] == 0


def test_rules_that_move_or_sum_show_the_whole_gradient():
    w, x = leaf([[1.0, 2.0]]), mt.tensor([[3.0], [4.0]])
    with viz.record():
        out = w @ x
    words = Explainer(film := viz.trace(out, {"w": w, "x": x, "out": out}))
    assert viz.player.mathml(words.rule(film.steps[-1])).count("<msup>") == 1
    assert words.rule(film.steps[-1]) == r"\mathit{w.grad} \text{ += } \mathit{out.grad} \, x^T"


def test_a_learners_op_with_a_name_of_ours_gets_no_formula_that_is_not_its_own():
    class Value:
        def __init__(self, data, parents=(), op="", slopes=()):
            self.data, self.parents, self.op, self.slopes, self.grad = data, parents, op, slopes, 0

    a = Value(0.5)
    film = viz.trace(Value(2.0, (a,), "tanh", (7.0,)), {"a": a})  # what it calls tanh is not
    assert Explainer(film).numbers(film.steps[-1]) == "7"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "…"), (14.0, "14"), (-0.0, "0"), (1 / 3, "0.3333"), (1e-12, "1e-12"),
        ([[1.0, 2.5]], "[[1, 2.5]]"), ([], "[]"),
        ({"min": 2.0, "mean": 2.0, "max": 2.0}, "all 2"),
        ({"min": 0.0, "mean": 1.0, "max": 2.0}, "mean 1, 0 to 2"),
    ],
)  # fmt: skip
def test_numbers_are_brief(value, text):
    assert brief(value) == text


def test_boxes_never_change_their_place_or_outgrow_it():
    w = leaf([1.0, 2.0])
    film = film_of((w * w * 100).sum(), w=w)
    widest = film.widest()
    for at in range(len(film.shots) + 1):
        for id_, lines in film.texts(at).items():
            assert all(len(a) <= len(b) for a, b in zip(lines, widest[id_], strict=True))


# -- large graphs ----------------------------------------------------------------------------------


def net(blocks):
    """Blocks of six steps, and the names of their parameters."""
    random = np.random.default_rng(3)
    h, names = mt.ones(1, 2), {}
    with viz.record():
        for i in range(blocks):
            with viz.scope(f"block {i}"):
                w = leaf(random.normal(size=(2, 2)).astype("float32"))
                names[f"w{i}"] = w
                h = (h @ w).tanh() * 2 + h
        loss = h.sum()
    return loss, names


def test_a_graph_of_many_boxes_is_folded_and_its_numbers_stay_true():
    loss, names = net(12)
    full = viz.trace(loss, names)
    film = Film(full)
    assert len(full.graph.boxes) > 40 >= len(film.graph.boxes)
    loss.backward()
    shown = film.texts(len(film.shots))
    for box in film.graph.boxes:
        if box.name in names:
            assert shown[box.id][2] == f"grad {brief(names[box.name].grad.numpy().tolist())}"
    hidden = sum(shot.inside for shot in film.shots)
    assert len(film.shots) + hidden <= len(full.steps)
    assert any("is in block 11" in film.say(shot) for shot in film.shots)


def test_steps_of_a_folded_graph_name_boxes_that_are_drawn():
    film = Film(viz.trace(*net(30)))
    drawn = {b.id for b in film.graph.boxes}
    for step in film.data():
        assert {step["box"], step.get("to", step["box"])} <= drawn
        assert step.get("arrow", 0) < len(film.graph.arrows)
        assert step.get("set", {"id": step["box"]})["id"] in drawn


def test_forty_boxes_fit_and_none_lies_on_another():
    if render.renderer() is None:
        pytest.skip("neither graphviz-pure nor dot is installed")
    film = Film(viz.trace(*net(5)))
    made = viz.layout.layout(film.graph, film.widest())
    places = list(made.boxes.values())
    assert set(made.boxes) == {b.id for b in film.graph.boxes} and made.width < 2000
    for i, (x, y, w, h) in enumerate(places):
        for x2, y2, w2, h2 in places[:i]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    assert len(made.arrows) == len(film.graph.arrows)


# -- the page --------------------------------------------------------------------------------------


def stepper(**options):
    a, b = leaf(2.0), leaf(3.0)
    x = a * b
    y = a + x
    return viz.step(x * y, names={"a": a, "b": b, "x": x, "y": y}, **options)


def document(shown):
    return html.unescape(re.search(r"<iframe srcdoc='([^']*)'", shown)[1])


def test_the_page_is_the_same_in_every_run_and_asks_nothing_of_the_network():
    one, two = stepper(), stepper()
    assert one.html == two.html
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", one.html))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "import " not in document(one.html).partition("<script")[2]


def test_the_page_holds_its_data_and_ends_no_script_early():
    a = leaf(2.0)
    out = viz.step(a * 3, names={"</script><b>": a}, title="<!-- </script> '&amp;\"")
    text = document(out.html)
    assert text.count("</script>") == 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    assert data["title"] == out.title and data["key"] == out.link.key
    assert len(data["steps"]) == 3
    assert out.html.count("<iframe") == 1 and "'" not in re.findall(r"srcdoc='([^']*)'", out.html)


def test_without_scripts_there_is_a_picture_and_all_in_words():
    shown = stepper(title="Backprop").html
    below = shown[shown.index("</iframe>") :]
    assert '<img alt="Backprop" src="data:image/svg+xml;base64,' in below
    assert "x.grad = 8 + 1 × 6 = 14." in below and "v1 = x × y = 6 × 8 = 48." in below
    text = document(shown)
    root = text[text.index('<div id="root">') :]
    assert root.startswith('<div id="root"><svg ') and 'role="img" aria-label="Backprop"' in root


def test_score_and_position_are_those_of_the_page():
    made = stepper(predict=True)
    assert made.score == {"asked": 0, "right": 0, "mistakes": {}} and made.position == 4
    score = {"asked": 2, "right": 1, "mistakes": {"sign": 1}}
    made.link.values = {**made.link.values, "score": score, "position": 6}  # as the page does
    assert made.score == score and made.position == 6
    made.position = 10
    assert made.link.values["position"] == 10
    with pytest.raises(ValueError, match="0 to 10, not 11"):
        made.position = 11


def test_without_anywidget_it_plays_and_keeps_no_score(monkeypatch):
    def missing():
        raise ImportError

    monkeypatch.setattr(page, "_link_class", missing)
    made = stepper()
    assert made.link is None and made.score["asked"] == 0
    assert made._repr_mimebundle_()["text/html"].startswith("<iframe")
    with pytest.raises(RuntimeError, match="anywidget"):
        made.position = 1


def test_without_a_program_that_draws_the_words_remain(monkeypatch):
    monkeypatch.setattr(render, "renderer", lambda: None)
    made = stepper()
    assert "pip install graphviz graphviz-pure" in made.html and "<iframe" not in made.html
    assert "x.grad = 8 + 1 × 6 = 14." in made.html


def test_lines_of_the_learner_stand_beside_the_steps():
    a, b = leaf(2.0), leaf(3.0)
    product = a * b  # not recorded: found as the line that assigns the name
    steps = {s["box"]: s.get("line") for s in viz.step(product.tanh()).film.data()}
    assert (
        "product = a * b  # not recorded: found as the line that assigns the name" in steps.values()
    )
    with viz.record():
        (a * b).tanh()
        total = (a + b).tanh()
    assert {s.get("line") for s in viz.step(total).film.data()[:2]} == {"total = (a + b).tanh()"}


def test_it_takes_a_trace():
    film = viz.trace(leaf(2.0) * 3, {})
    assert viz.step(film).trace is film


def test_of_thousands_of_shares_from_a_folded_box_the_last_is_shown():
    x = y = leaf(1.0)
    for _ in range(1000):
        y = y + x
    film = film_of(y, x=x)
    assert len(film.graph.boxes) <= 40 and len(film.shots) < 150
    assert film.data()[-1]["set"] == {"id": "n0", "grad": "1001", "all": "1001"}
    assert sum(shot.inside + 1 for shot in film.shots) > 2000


def test_entries_of_tensors_have_their_numbers_and_their_slips():
    w = leaf([[0.5, -1.0], [0.25, 0.0]])
    x = mt.tensor([[2.0, 3.0], [4.0, 5.0]])
    with viz.record():
        h = (w * x).tanh()
        loss = h.sum()
    asked = questions(film_of(loss, w=w, x=x, h=h))
    text = re.sub(r"<[^>]*>", "", asked[1]["numbers"])
    assert text == "1−02=1"  # the last entry: nothing went in, the slope is at its largest
    assert slips(asked[2])["swapped"] == 0.0 and asked[2]["want"] == 5.0
    assert Explainer(viz.trace(loss, {})).numbers(viz.trace(loss, {}).steps[-1]) == "5"
