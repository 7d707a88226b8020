"""Which known words a misspelt word is likely to mean.

Words here are names of layer types and fields. Caffe's forks have names that are only a letter or
two away and mean something else: ReLU6 is no misspelt ReLU, kernel_d no kernel_h, SELU no ELU. So a
word is near only if a slip of the hand explains the difference: letters swapped, doubled or left
out inside a long word, a plural, other capitals or underscores. A digit is never a slip.
"""

import re
from collections.abc import Iterable

LONG, VERY_LONG = 6, 10  # letters from which one or two slips may be in a word
LONGEST = 100  # letters of a word that is looked at


def near(word: str, words: Iterable[str]) -> list[str]:
    """Return the known words that a misspelt word is likely to mean, the likeliest first.

    Parameters
    ----------
    word : str
    words : iterable of str
        The words that are known.

    Returns
    -------
    list of str
        Three words at most; none if nothing is near.

    Examples
    --------
    >>> near("num_ouput", ["num_output", "bias_term"])
    ['num_output']
    >>> near("kernel", ["kernel_size", "kernel_h"])
    ['kernel_size', 'kernel_h']
    >>> near("kernel_d", ["kernel_size", "kernel_h"])
    []
    """
    words = list(words) if len(word) <= LONGEST else []
    for rule in (_same_letters, _near_parts, _begins):
        if found := [known for known in words if rule(word, known)]:
            return found[:3]
    return []


def _same_letters(word, known):
    """Tell whether words differ in capitals, underscores and blanks only."""
    return _plain(word) == _plain(known)


def _plain(word):
    """Return a word in lower case, without what separates its parts."""
    return re.sub(r"[_\-\s]", "", word).lower()


def _begins(word, known):
    """Tell whether a word is the first of the parts of a known one."""
    return len(word) > 2 and known.startswith(f"{word}_")


def _near_parts(word, known):
    """Tell whether two words have as many parts, each the same or near."""
    parts, others = word.split("_"), known.split("_")
    return len(parts) == len(others) and all(
        a == b or _slip(a.lower(), b.lower()) for a, b in zip(parts, others)
    )


def _slip(a, b):
    """Tell whether a slip of the hand makes the word `a` out of `b`."""
    if not a or not b or re.sub(r"\D", "", a) != re.sub(r"\D", "", b):
        return False
    if a == b or a + "s" == b or b + "s" == a:
        return min(len(a), len(b)) > 2
    longest = max(len(a), len(b))
    if _swapped(a, b):
        return longest > 2
    if a[0] != b[0]:
        return False
    if _single(a) == _single(b):
        return longest > 2
    if a.startswith(b):  # what is added at the end is meant
        return False
    allowed = 2 if longest >= VERY_LONG else 1 if longest >= LONG else 0
    return abs(len(a) - len(b)) <= allowed and _distance(a, b) <= allowed


def _single(word):
    """Return a word with each run of one letter as that letter, but the first: RReLU is no ReLU."""
    return word[:1] + re.sub(r"(.)\1+", r"\1", word[1:])


def _swapped(a, b):
    """Tell whether two neighbouring letters are swapped, and nothing else."""
    if len(a) != len(b):
        return False
    differing = [i for i, (x, y) in enumerate(zip(a, b)) if x != y]
    return len(differing) == 2 and differing[1] == differing[0] + 1 and sorted(a) == sorted(b)


def _distance(a, b):
    """Return the number of letters to add, drop or change between two words."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]
