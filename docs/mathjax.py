"""MathJax for pages that render without a network: taken from npm once, into a folder that git ignores."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from sphinx.errors import ConfigError

CACHE = Path(__file__).parent / "_cache" / "mathjax"
VERSION = "3.2.2"
BUNDLE = "tex-svg-full.js"
"""All of TeX's extensions, drawn as SVG: one file without fonts, which browsers do not load from a disk."""
SHA256 = "a4354ff94fd868aea0cc6eaaa79a57fda0588646fc46ee3700a349ee0a11cbe6"


def fetched(cache: Path = CACHE) -> Path:
    """The folder that holds the bundle.

    Raises:
        ConfigError: in one line, if npm is missing or cannot fetch it.
    """
    bundle = cache / BUNDLE
    if not (bundle.exists() and _is_it(bundle)):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            shutil.move(_unpacked(Path(folder)), bundle)
    return cache


def _unpacked(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise ConfigError("the pages need npm, to take MathJax from: install it (Debian: apt-get install npm) and build again.")
    command = [npm, "pack", "--silent", "--ignore-scripts", f"mathjax-full@{VERSION}"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - npm as the shell finds it
    archives = [*folder.glob("*.tgz")]
    if run.returncode or not archives:
        reason = (run.stderr.strip().splitlines() or ["it gave no reason"])[0]
        raise ConfigError(f"npm could not fetch mathjax-full@{VERSION}: {reason}")
    with tarfile.open(archives[0]) as archive:
        archive.extract(f"package/es5/{BUNDLE}", folder, filter="data")
    bundle = folder / "package" / "es5" / BUNDLE
    if not _is_it(bundle):
        raise ConfigError(f"what npm fetched is not the {BUNDLE} of mathjax-full@{VERSION} that these pages were made with.")
    return bundle


def _is_it(bundle: Path) -> bool:
    return hashlib.sha256(bundle.read_bytes()).hexdigest() == SHA256


if __name__ == "__main__":  # to have it beforehand, and to be told in one line what is missing
    try:
        fetched()
    except ConfigError as error:
        raise SystemExit(f"docs: {error}") from None
