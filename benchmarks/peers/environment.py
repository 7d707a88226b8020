"""Make the environment of the peers: python -m benchmarks.peers.environment FOLDER [OPTION ...].

The engines that FCN-8s is compared with are installed into a virtual environment of their own, as
the repository needs none of them. A folder that has an environment already is used as it is.
"""

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
STAMP = "installed-by-clockwork.txt"


def make(folder: Path, options: list[str] | None = None) -> bool:
    """Make the environment, or bring one that was made here up to date.

    Parameters
    ----------
    folder : Path
    options : list of str, optional
        For pip, such as an index.

    Returns
    -------
    bool
        False if there was nothing to do.

    Raises
    ------
    subprocess.CalledProcessError
        If the environment cannot be made, or pip cannot install the engines; both say why.
    """
    stamp, wanted = folder / STAMP, REQUIREMENTS.read_text()
    python = folder / "bin" / "python"
    ours = stamp.exists() or not python.exists()
    if not ours or stamp.exists() and stamp.read_text() == wanted:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    stamp.write_text("")  # an interrupted installation is taken up again
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [str(python), "-m", "pip", "install", *quiet, *(options or []), "-r", str(REQUIREMENTS)],
        check=True,
    )
    stamp.write_text(wanted)
    return True


if __name__ == "__main__":
    if make(Path(sys.argv[1]), sys.argv[2:]):
        print(f"installed the other engines into {sys.argv[1]}")
