"""Compare the texts in the code with those in the French catalogue, in a copy of the project.

Exit 1 and a list when a text is missing from the catalogue, is no longer used, or is not translated.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = Path("locale/fr/LC_MESSAGES/django.po")
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "*_cache", "__pycache__", "tests", "bench")


def texts(path: Path) -> set[str]:
    """The source texts of a catalogue, those no longer used left out."""
    with path.open("rb") as stream:
        return {str(message.id) for message in read_po(stream) if message.id}


def main() -> int:
    """Run makemessages on a copy and compare."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        (copy / CATALOGUE).unlink()
        command = [sys.executable, "manage.py", "makemessages", "--locale", "fr", "--no-location"]
        subprocess.run(command, cwd=copy, check=True, stdout=subprocess.DEVNULL)
        used = texts(copy / CATALOGUE)
    known = texts(ROOT / CATALOGUE)
    for text in sorted(used - known):
        print(f"not in the catalogue: {text}")
    for text in sorted(known - used):
        print(f"no longer used: {text}")
    return 0 if used == known else 1


if __name__ == "__main__":
    sys.exit(main())
