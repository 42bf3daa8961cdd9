"""Check one answer, in a process of its own. `kit.grade` starts it; nobody else should.

It reads the answer as JSON from its input, and writes one line of JSON: [state, [[label, text]]].
The answer's own prints go nowhere.
"""

import json
import os
import sys

MEMORY, FILES, CPU = 4 * 2**30, 16 * 2**20, 300  # bytes, bytes, seconds


def main():
    answer = json.loads(sys.stdin.read())
    result = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    set_limits()
    verdict = judged(**answer)
    json.dump([verdict.state, verdict.lines], result)
    result.close()
    os._exit(0)  # not by way of what the answer left behind: threads, atexit


def set_limits():
    """Cap memory, the size of files and the time of the processor, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {"RLIMIT_AS": MEMORY, "RLIMIT_FSIZE": FILES, "RLIMIT_CPU": CPU, "RLIMIT_CORE": 0}
    for name, limit in wanted.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        try:
            resource.setrlimit(kind, (limit, limit))
        except (OSError, ValueError):  # macOS refuses some
            continue


def judged(chapter, name, cells, before):
    """Return the Verdict on an answer: run what it needs, its cells, then the exercise's check."""
    from kit.chapter import chapters
    from kit.exercise import Verdict, answer_namespace

    (found,) = chapters([chapter])
    exercise = getattr(found.exercises(), name)
    if not cells:
        return Verdict(name, "untried", [("next", "the notebook has no cell for it")])
    space = answer_namespace()
    problems = run_cells(exercise, cells, before, space)
    missing = [part for part in exercise.names if part not in space]
    if missing:
        lines = [("expected", f"`{', '.join(missing)}` to be defined"), *problems]
        return Verdict(name, "wrong", lines)
    verdict = exercise.verdict(*[space[part] for part in exercise.names])
    if verdict.state == "wrong":
        verdict.lines += problems
    return verdict


def run_cells(exercise, cells, before, space):
    """Run the sources in `space`. Returns (label, text) for each cell that raised."""
    from kit.exercise import in_words
    from kit.guard import TimeLimit, learner_line, limited, run_source

    stopped = f"it was stopped after {exercise.seconds:g} seconds"
    for number, source in enumerate(before):
        try:
            limited(lambda: run_source(source, f"before {number}", space), exercise.seconds)  # noqa: B023
        except BaseException:  # it may need what only the whole chapter defines
            continue
    run_source(exercise.setup, f"setup of {exercise.name}", space)
    problems = []
    for number, source in enumerate(cells, start=1):
        try:
            limited(lambda: run_source(source, f"answer {number}", space), exercise.seconds)  # noqa: B023
        except BaseException as error:  # the cells after it may still hold the answer
            where = learner_line(error, set())
            words = stopped if isinstance(error, TimeLimit) else in_words(error)
            problems.append((f"its cell {number}", words + (f" ({where})" if where else "")))
    return problems


if __name__ == "__main__":
    main()
