"""Show an error or a warning on purpose, in words that do not depend on the machine."""

import warnings
from contextlib import contextmanager


@contextmanager
def shows_error(kind=Exception, says=""):
    """Run a with-block that must raise; print the error's class and message, and go on.

    kind: the class that is wanted. says: print just this fragment of the message, for messages
    that differ between versions. Raises AssertionError if the block raises nothing, or if the
    message lacks `says`; an error of another class passes through.
    """
    try:
        yield
    except kind as error:
        message = str(error)
        if says not in message:
            raise AssertionError(f"the message lacks {says!r}: {message}") from error
        print(f"{type(error).__name__}: {says or message}")
    else:
        raise AssertionError(f"this was meant to raise {kind.__name__}, and did not")


@contextmanager
def shows_warning(kind=Warning, says=""):
    """Run a with-block that must warn; print the warning's class and message, and go on.

    kind: the class that is wanted. says: print just this fragment of the message. Every warning of
    the block is caught. Raises AssertionError if none is of the class and holds `says`; an error
    passes through.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    found = [one for one in caught if issubclass(one.category, kind) and says in str(one.message)]
    if not found:
        seen = "; ".join(f"{one.category.__name__}: {one.message}" for one in caught) or "none"
        raise AssertionError(f"this was meant to warn with {kind.__name__} {says!r}; seen: {seen}")
    print(f"{found[0].category.__name__}: {says or found[0].message}")
