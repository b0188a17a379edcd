"""The directives: each proves what it shows, and warns of what is not proved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..proof import Proved
from ..proof.step import worst
from ..report.graph import Node
from ..report.pages import (
    FileOfProofs,
    Surroundings,
    anchor,
    claim_section,
    file_section,
    in_cell,
    statement,
    table,
    to_copy,
    uses,
    verdict,
    words,
)
from ..verdict import MisuseError, Proof
from .domain import domain_of, reference
from .drawing import graph
from .library import Library
from .making import library

logger = logging.getLogger(__name__)


class _ProvingDirective(SphinxDirective):  # type: ignore[misc]
    """A directive that shows proofs; ``_show`` says what."""

    def run(self) -> list[nodes.Node]:
        """The nodes, or none and a warning where the argument cannot be read."""
        domain_of(self.env).data["documents"].add(self.env.docname)
        try:
            return self._show()
        except MisuseError as error:
            self._warn(str(error), "misuse")
            return []

    def _show(self) -> list[nodes.Node]:
        raise NotImplementedError

    @property
    def _library(self) -> Library:
        return library(self.env.events)

    def _warn(self, message: str, kind: str) -> None:
        logger.warning("verifydiff: %s", message, location=self.get_location(), type="verifydiff", subtype=kind)

    def _judge(self, proved: Proved) -> None:
        """Warn unless the claim is proved."""
        if proved.outcome is not Proof.PROVED:
            self._warn(f"{proved.id} is {proved.outcome}: {why(proved)}", str(proved.outcome))


def why(proved: Proved) -> str:
    """Which step of a page is not proved, and why, on one line."""
    if proved.blame is None:
        return ""
    step, check = proved.blame
    number = proved.steps.index(step) + 1
    reason = str(check.decision.counterexample or check.decision.remains)
    return " ".join(f"step {number}, {step.because!r}, claims {check.statement}; {reason}".split())


class FormDirective(_ProvingDirective):
    """A closed form, with its source and the verdict on it."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"code": directives.flag}

    def _show(self) -> list[nodes.Node]:
        proved = self._library.claim(self.arguments[0])
        self._judge(proved)
        box = statement(proved, [reference(proved.id, words(proved.title))])
        if "code" in self.options and proved.form is not None:
            box += to_copy(proved.form)
        return [box]


class DerivationDirective(_ProvingDirective):
    """A derivation by its id, or every one of a file or folder by its path."""

    required_arguments = 1
    final_argument_whitespace = True

    def _show(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if not (name.endswith(".py") or "/" in name):
            proved = self._library.claim(name)
            return [self._noted(claim_section(proved, self._around()), [proved])]
        path = Path(self.env.relfn2path(name)[1])
        files = self._at(path, name)
        for file in files:
            self.env.note_dependency(str(file.path))
        return [self._noted(file_section(file, self._around(file)), file.claims) for file in files]

    def _at(self, path: Path, name: str) -> list[FileOfProofs]:
        if not path.exists():
            raise MisuseError(f"there is no file or folder {name}, as seen from this page.")
        return self._library.at(path)

    def _around(self, file: FileOfProofs | None = None) -> Surroundings:
        known = {**self._library.known, **({one.id: one for one in file.claims} if file else {})}
        return Surroundings(reference, known, self._library.used_by, self._figures)

    def _figures(self, name: str) -> list[nodes.Node]:
        """The pictures that the project has for it: pairs of SVG and caption from whoever listens to ``verifydiff-figures``."""
        shown: list[nodes.Node] = []
        for answer in self.env.events.emit("verifydiff-figures", name):
            for svg, caption in answer or ():
                box = nodes.container("", nodes.raw("", svg, format="html"), classes=["verifydiff-figure"])
                box += nodes.paragraph("", "", *words(caption))
                shown.append(box)
        return shown

    def _noted(self, section: nodes.section, claims: Any) -> nodes.section:
        domain = domain_of(self.env)
        for proved in claims:
            self._judge(proved)
            domain.note(proved.id, proved.title, self.env.docname, anchor(proved.id))
        for part in section.findall(nodes.section):
            self.state.document.note_explicit_target(part, part)
        return section


class FormsDirective(_ProvingDirective):
    """A table of all claims."""

    def _show(self) -> list[nodes.Node]:
        rows = []
        for proved in sorted({one.id: one for one in self._library.known.values()}.values(), key=lambda one: one.id):
            self._judge(proved)
            link = reference(proved.id, [nodes.literal("", proved.id)])
            name = [link, nodes.Text(" "), nodes.inline("", "", *words(proved.title), classes=["verifydiff-what"])]
            rows.append([name, in_cell(proved), [nodes.Text(proved.source)], [verdict(proved.outcome)]])
        return [table(("claim", "formula", "source", "verdict"), rows, "verifydiff-forms")]


class _TopicDirective(_ProvingDirective):
    """A directive about all files, or those of the topic that is its argument."""

    optional_arguments = 1
    final_argument_whitespace = True

    @property
    def _topics(self) -> dict[str, list[FileOfProofs]]:
        """The files by topic, in the order that ``conf.py`` has them in; without topics, one a file."""
        files = {file.path.stem: file for file in self._library.files}
        topics = self.config.verifydiff_topics
        if missing := [name for names in topics.values() for name in names if name not in files]:
            raise MisuseError(f"`verifydiff_topics` names {missing[0]}, and there is no such file of derivations.")
        if topics:
            return {topic: [files[name] for name in names] for topic, names in topics.items()}
        return {file.title: [file] for file in files.values()}

    def _files(self) -> list[FileOfProofs]:
        if not self.arguments:
            return self._library.files
        topics = self._topics
        if self.arguments[0] not in topics:
            raise MisuseError(f"`verifydiff_topics` in conf.py has no topic {self.arguments[0]!r}.")
        return topics[self.arguments[0]]


class GraphDirective(_TopicDirective):
    """Which claim rests on which, or which page on which."""

    option_spec: ClassVar[dict[str, Any]] = {"pages": directives.flag}

    def _show(self) -> list[nodes.Node]:
        topics = self._topics
        group = {file.path: topic for topic, files in topics.items() for file in files}
        of = {one.id: file for file in self._library.files for one in file.claims}
        of |= {one.form.id: file for file in self._library.files for one in file.claims if one.form}
        here = self._files()
        drawn = self._pages(here, of, group) if "pages" in self.options else self._claims(here, of, group)
        legend = [(topic, topic, files[0].claims[0].id) for topic, files in topics.items() if files]
        legend += [(file.title, file.title, file.claims[0].id) for file in self._library.files if file.path not in group]
        return [graph("", claims=drawn, legend=legend)]

    def _pages(self, files: list[FileOfProofs], of: dict[str, FileOfProofs], group: dict[Path, str]) -> list[Node]:
        drawn = []
        for file in files:
            bases = dict.fromkeys(of[base].path.stem for one in file.claims for base in uses(one) if base in of)
            outcome = str(worst([one.outcome for one in file.claims]))
            rests_on = tuple(base for base in bases if base != file.path.stem)
            title = group.get(file.path, file.title)
            drawn.append(Node(file.path.stem, title, file.title, outcome, rests_on, file.claims[0].id))
        return drawn

    def _claims(self, files: list[FileOfProofs], of: dict[str, FileOfProofs], group: dict[Path, str]) -> list[Node]:
        known = self._library.known
        drawn = {one.id: file for file in files for one in file.claims}
        aside = {known[base].id for file in files for one in file.claims for base in uses(one) if base in known} - set(drawn)
        shown = [*drawn.items(), *((name, of[name]) for name in sorted(aside))]
        return [
            Node(
                name, group.get(file.path, file.title), known[name].title, str(known[name].outcome),
                () if name in aside else tuple(known[base].id if base in known else base for base in uses(known[name])),
                aside=name in aside,
            )
            for name, file in shown
        ]  # fmt: skip


class PagesDirective(_TopicDirective):
    """A table of contents of the pages that were made of the files."""

    option_spec: ClassVar[dict[str, Any]] = {"maxdepth": directives.nonnegative_int}

    def _show(self) -> list[nodes.Node]:
        folder = self.config.verifydiff_pages
        if not folder:
            raise MisuseError("`verifydiff-pages` needs `verifydiff_pages` in conf.py: the folder that the pages are made in.")
        made = [f"{folder.strip('/')}/{file.path.stem}" for file in self._files()]
        toctree = addnodes.toctree(
            parent=self.env.docname,
            entries=[(None, page) for page in made],
            includefiles=made,
            maxdepth=self.options.get("maxdepth", 1),
            caption=None,
            glob=False,
            hidden=False,
            includehidden=False,
            numbered=0,
            titlesonly=False,
            rawentries=[],
        )
        return [nodes.compound("", toctree, classes=["toctree-wrapper"])]


DIRECTIVES: dict[str, type[SphinxDirective]] = {
    "verifydiff-form": FormDirective,
    "verifydiff-derivation": DerivationDirective,
    "verifydiff-forms": FormsDirective,
    "verifydiff-graph": GraphDirective,
    "verifydiff-pages": PagesDirective,
}
