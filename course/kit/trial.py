"""Try an exercise's own answers: does its check tell right from wrong, each with its own words?

Command: `python -m kit.trial [chapter ...]`.
"""

import sys
import types

from kit.chapter import chapters
from kit.exercise import answer_namespace, exercises_of
from kit.guard import run_source

JUNK = [None, "text", [], -12345.678, object(), {}]
SHORTEST_LEAK = 12  # characters: a line of the solution this long may not stand in a message


def verdict_on(exercise, code):
    """Run an answer's source after the exercise's setup, and return the check's Verdict on it."""
    namespace = run_source(exercise.setup, f"setup of {exercise.name}", answer_namespace())
    run_source(code, f"answer to {exercise.name}", namespace)
    missing = [name for name in exercise.names if name not in namespace]
    if missing:
        raise ValueError(f"{exercise.name}: this answer does not define {missing}:\n{code}")
    return exercise.verdict(*[namespace[name] for name in exercise.names])


def problems(exercise):
    """Return what is wrong with an exercise, as a list of sentences; empty when all is well."""
    found = [*unaccepted(exercise), *not_rejected(exercise), *stumbles_on_junk(exercise)]
    return [f"{exercise.name}: {problem}" for problem in found]


def unaccepted(exercise):
    verdict = verdict_on(exercise, exercise.stub)
    if verdict.state != "untried":
        yield f"the stub should be untried: {verdict!r}"
    for code in [exercise.solution, *exercise.also_right]:
        verdict = verdict_on(exercise, code)
        if verdict.state != "right":
            yield f"this should be right: {verdict!r}\n{code}"


def not_rejected(exercise):
    seen = {}
    for code, says in exercise.wrong:
        verdict = verdict_on(exercise, code)
        text = repr(verdict)
        if verdict.state != "wrong":
            yield f"this should be wrong: {verdict!r}\n{code}"
        elif verdict.broken:
            yield f"the check stumbles: {verdict!r}\n{code}"
        elif says not in text:
            yield f"the message lacks {says!r}: {verdict!r}\n{code}"
        if text in seen:
            yield f"two wrong answers get one message: {verdict!r}\n{seen[text]}\n{code}"
        seen[text] = code
        leaks = [line for line in secret_lines(exercise) if line in text]
        if leaks:
            yield f"the message gives the answer away: {leaks}"


def secret_lines(exercise):
    known = {line.strip() for line in exercise.stub.splitlines()}
    lines = {line.strip() for line in exercise.solution.splitlines()} - known
    return [line for line in lines if len(line) >= SHORTEST_LEAK]


def stumbles_on_junk(exercise):
    stubs = exercise.stub_values()
    if any(isinstance(stub, type) for stub in stubs):
        return  # junk in place of a class is stopped by its kind
    for junk in JUNK:
        answers = [junk_for(stub, junk) for stub in stubs]
        verdict = exercise.verdict(*answers)
        if verdict.state != "wrong" or verdict.broken:
            yield f"an answer of {type(junk).__name__} gets {verdict!r}"


def junk_for(stub, junk):
    if isinstance(stub, types.FunctionType):
        return lambda *args, **kwargs: junk
    return junk


def main(arguments):
    failures = 0
    for chapter in chapters(arguments):
        for exercise in exercises_of(chapter.exercises()):
            found = problems(exercise)
            failures += bool(found)
            print("\n".join(found) if found else f"{chapter.name} {exercise.name}: ok")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
