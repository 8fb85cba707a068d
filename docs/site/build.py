"""``make docs``: the site in both languages, with warnings as errors, without the network, its links checked."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from docs.site.links import broken_links
from docs.site.sources import ROOT, assemble
from docs.site.words import LANGUAGES

CONFIGURATION = Path(__file__).parent
SPHINX = (sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", str(CONFIGURATION))


def build(output: Path, languages: Iterable[str] = LANGUAGES) -> None:
    """Write the site: English at the top, Korean in ``ko/``. Nothing of the network is asked."""
    shutil.rmtree(output, ignore_errors=True)
    work = output.parent / f"{output.name}-sources"
    running = []
    for language in languages:
        assemble(language, work / language)
        target = output if language == "en" else output / language
        places = ["-d", str(work / f"{language}-read"), str(work / language), str(target)]
        running.append(subprocess.Popen([*SPHINX, "-D", f"language={language}", *places], cwd=ROOT))
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit("the site was not built: mend what the lines above name")
    # A switch of languages leads nowhere until both are there.
    broken = broken_links(output) if set(languages) == set(LANGUAGES) else []
    if broken:
        raise SystemExit("links that lead nowhere:\n" + "\n".join(broken))
    shutil.rmtree(work)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, nargs="?", default=ROOT / "build" / "docs", help="the folder to write")
    parser.add_argument("--language", choices=list(LANGUAGES), help="only this one, to look at while writing")
    arguments = parser.parse_args()
    output = arguments.output.resolve()
    build(output, (arguments.language,) if arguments.language else LANGUAGES)
    start = output / ("ko" if arguments.language == "ko" else "") / "index.html"
    print(f"open {start.relative_to(Path.cwd()) if start.is_relative_to(Path.cwd()) else start}")


if __name__ == "__main__":
    main()
