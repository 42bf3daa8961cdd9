"""Show an error on purpose, in words that do not depend on the machine."""

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
