"""Figures of chapter 03: the costs of nudging and backprop, and the stepper."""

import html

from IPython.display import display

from kit.figures import STYLES, figure, subplots
from minitensor import viz


def cost(rows):
    """Show steps against inputs, both logarithmic. rows: (inputs, nudging, backprop)."""
    inputs, nudging, backprop = zip(*rows, strict=True)
    fig, ax = subplots(height=3.2)
    ax.loglog(inputs, nudging, label="nudging", **STYLES[0])
    ax.loglog(inputs, backprop, label="backprop", **STYLES[1])
    ax.set(xlabel="number of inputs", ylabel="steps, there and back")
    ax.legend()
    figure(
        fig,
        alt="Two straight lines on logarithmic axes. Nudging rises twice as steeply as backprop.",
        text="\n".join(
            f"{n} inputs: nudging {many} steps, backprop {few} (one forward, one back, "
            "for each box)"
            for n, many, few in rows
        ),
    )


# The stepper: predict a gradient, then see it.


class Stepper:
    """Backprop over a graph of Values, one arrow at a time, with a question before each.

    out: the last Value; its gradient becomes 1, all others 0. Boxes without a name get one.
    """

    def __init__(self, out):
        self.out, self.done, order = out, 0, parents_first(out)
        for i, box in enumerate(order):
            box.grad, box.name = 0.0, box.name or f"v{i}"
        out.grad = 1.0
        self.arrows = [(box, i) for box in reversed(order) for i in range(len(box.parents))]

    @property
    def arrow(self):
        """The next arrow: (the box that passes on, the parent that receives, the slope)."""
        box, i = self.arrows[self.done]
        return box, box.parents[i], box.slopes[i]

    def question(self):
        if self.done == len(self.arrows):
            return "Done: every box has passed on."
        box, parent, slope = self.arrow
        passes = f"{box.name} passes on {box.grad:.6g} to {parent.name}, slope {slope:.6g}"
        if box.parents.count(parent) > 1:
            passes += f" (arrow {self.arrows[self.done][1] + 1} of {len(box.parents)})"
        return f"{passes}. What will {parent.name}.grad be then?"

    def answer(self, text):
        """Take a prediction, make the step, and return the reply. No number: ask again."""
        if self.done == len(self.arrows):
            return ""
        try:
            predicted = float(text)
        except ValueError:
            return "Type a number, such as 8."
        parent, said = self.arrow[1], self.step()
        right = abs(predicted - parent.grad) <= 0.005 * max(1.0, abs(parent.grad))
        return f"{'Right' if right else 'Not quite'}: {said}"

    def step(self):
        """Pass back along the next arrow; return the sum that this makes."""
        box, parent, slope = self.arrow
        before = parent.grad
        parent.grad += slope * box.grad
        self.done += 1
        sum_of = f"{before:.6g} + {slope:.6g} × {box.grad:.6g} = {parent.grad:.6g}"
        return f"{parent.name}.grad = {sum_of}."

    def picture(self):
        """Return the graph as SVG, with the next arrow marked."""
        marked = []
        if self.done < len(self.arrows):
            box, parent, _ = self.arrow
            marked = [box.name, (parent.name, box.name)]
        drawn = viz.draw(self.out, slopes=True, highlight=marked, caption=self.question())
        return drawn._repr_html_()


def parents_first(out):
    """Return the Values that `out` was made of, and itself, each once and after its parents."""
    order = {}

    def visit(value):
        if value not in order:
            for parent in value.parents:
                visit(parent)
            order[value] = True

    visit(out)
    return list(order)


def stepper(out):
    """Show a Stepper with a field for the prediction and a button, and its steps on paper."""
    on_paper = folded_steps(Stepper(out))
    view = field_and_steps(Stepper(out))._repr_mimebundle_()
    words = "A graph to step through, with a field for your prediction. It needs a running kernel."
    display({**view, "text/plain": words}, raw=True)
    display(
        {"text/html": on_paper, "text/plain": "The same steps, each answer folded away."}, raw=True
    )


def folded_steps(steps):
    """Return the picture at the start and the questions as HTML, each inside the answer before.

    So no question is seen, with the numbers that it takes for known, before they were asked for.
    """
    start, asked, told = steps.picture(), [], []
    while steps.done < len(steps.arrows):
        asked.append(html.escape(steps.question()))
        told.append(html.escape(steps.step()))
    inner = html.escape(steps.question())
    for question, answer in reversed(list(zip(asked, told, strict=True))):
        inner = folded(question, f"<p>{answer}</p>{inner}")
    return folded(
        "Without a running kernel: the same steps, each answer folded away", start + inner
    )


def folded(title, content):
    return f"<details><summary>{title}</summary>{content}</details>"


def field_and_steps(steps):
    """Return question, field, button, reply and picture as a widget."""
    import ipywidgets as widgets

    question, reply, picture = widgets.HTML(), widgets.HTML(), widgets.HTML()
    field = widgets.Text(description="prediction")
    button = widgets.Button(description="Check and step")

    def show(said=""):
        question.value, picture.value = html.escape(steps.question()), steps.picture()
        reply.value = f'<p role="status">{html.escape(said)}</p>'

    def step(_):
        said, field.value = steps.answer(field.value), ""
        show(said)

    button.on_click(step)
    show()
    return widgets.VBox([question, widgets.HBox([field, button]), reply, picture])
