"""The report: one line for each check, and the closing line."""

from contextlib import contextmanager

from xero_python.exceptions import HTTPStatusException


class Report:
    """Counts the checks that passed and failed. A section that raises an exception counts as a failure."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    @contextmanager
    def section(self, name):
        print(f"\n{name}")
        try:
            yield
        except Exception as error:
            self.check("the section completes", False, f"{type(error).__name__}: {error}")

    def check(self, sentence, holds, shown=""):
        """Records whether the sentence holds. `shown` explains a failure."""
        if holds:
            self.passed += 1
            print(f"  passed  {sentence}")
        else:
            self.failed += 1
            print(f"  FAILED  {sentence}: {shown}" if shown else f"  FAILED  {sentence}")

    def equal(self, sentence, found, expected):
        self.check(sentence, found == expected, f"{found!r} instead of {expected!r}")

    def refused(self, sentence, status, message, call):
        """Checks that the call is answered with this status and a text that contains `message`."""
        try:
            call()
        except HTTPStatusException as error:
            answer = error.http_resp
            holds = answer.status == status and message in answer.text
            self.check(sentence, holds, f"{answer.status} {answer.text}")
        else:
            self.check(sentence, False, "the call succeeds")

    def close(self):
        """Prints the closing line. Returns the exit code of the program."""
        print(f"\n{self.passed} passed, {self.failed} failed")
        return 0 if self.passed and not self.failed else 1
