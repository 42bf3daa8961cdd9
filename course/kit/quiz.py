"""Quiz questions as folded HTML: no scripts, no kernel, so a static page keeps them whole."""

from dataclasses import dataclass

from kit.folded import details, inline

LETTERS = "ABCDEF"
QUESTIONS = 5  # in each quiz
INTRO = "Choose, then open your choice. Each one has its own reply."


@dataclass
class Choice:
    """One choice. reply: what the reader is told who opens it."""

    text: str
    reply: str
    right: bool = False


@dataclass
class Question:
    """A question with three to five choices, exactly one of them right."""

    ask: str
    choices: list

    def __post_init__(self):
        if not 3 <= len(self.choices) <= 5 or sum(c.right for c in self.choices) != 1:
            raise ValueError(f"three to five choices, one of them right: {self.ask}")
        for part in ("text", "reply"):
            said = {getattr(choice, part).strip() for choice in self.choices} - {""}
            if len(said) != len(self.choices):
                raise ValueError(f"each choice has a {part} of its own: {self.ask}")

    def markdown(self, number):
        """Return the question as one markdown cell."""
        parts = [f"### Question {number}", self.ask]
        for letter, choice in zip(LETTERS, self.choices, strict=False):
            judged = "**Right.**" if choice.right else "**Not this one.**"
            summary = f"<b>{letter}.</b> {inline(choice.text)}"
            parts.append(details(summary, f"{judged} {choice.reply}"))
        return "\n\n".join(parts)


def quiz_cells(questions):
    """Return the markdown cells of a chapter's quiz. Raises ValueError unless there are five."""
    if len(questions) != QUESTIONS:
        raise ValueError(f"a quiz has five questions, not {len(questions)}")
    places = {next(i for i, c in enumerate(q.choices) if c.right) for q in questions}
    if len(places) < 2:
        raise ValueError("the right choice always stands in the same place")
    return [f"## Quiz\n\n{INTRO}", *(q.markdown(i) for i, q in enumerate(questions, 1))]
