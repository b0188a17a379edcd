"""Where each claim is shown, so that pages and other projects can link to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains import Domain, ObjType
from sphinx.environment import BuildEnvironment
from sphinx.roles import XRefRole
from sphinx.util.nodes import make_refnode

NAME = "verifydiff"


class VerifydiffDomain(Domain):  # type: ignore[misc]
    """The claims that the pages show; ``:verifydiff:claim:`` links to one."""

    name = NAME
    label = "verifydiff"
    object_types: ClassVar[dict[str, ObjType]] = {"claim": ObjType("claim", "claim")}
    roles: ClassVar[dict[str, Any]] = {"claim": XRefRole(warn_dangling=True)}
    dangling_warnings: ClassVar[dict[str, str]] = {"claim": "no page shows a derivation of %(target)s"}
    initial_data: ClassVar[dict[str, Any]] = {"claims": {}, "documents": set()}
    data_version = 1

    def note(self, claim: str, title: str, document: str, anchor: str) -> None:
        """A page shows the derivation of a claim; the first one that does is linked to."""
        self.data["claims"].setdefault(claim, (title, document, anchor))

    def clear_doc(self, docname: str) -> None:
        """Forget a page."""
        self.data["documents"].discard(docname)
        for claim in [claim for claim, (_, document, _) in self.data["claims"].items() if document == docname]:
            del self.data["claims"][claim]

    def merge_domaindata(self, docnames: Iterable[str], otherdata: dict[str, Any]) -> None:
        """Take in what another process has read."""
        self.data["documents"] |= otherdata["documents"] & set(docnames)
        for claim, (title, document, anchor) in otherdata["claims"].items():
            if document in docnames:
                self.note(claim, title, document, anchor)

    def address(self, builder: Builder, origin: str, claim: str) -> str | None:
        """The address of a claim as seen from a page; None if no page shows it."""
        if claim not in self.data["claims"]:
            return None
        _, document, anchor = self.data["claims"][claim]
        return f"{builder.get_relative_uri(origin, document)}#{anchor}"

    def resolve_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: str,
        node: pending_xref,
        contnode: nodes.Element,
    ) -> nodes.reference | None:
        """A reference to the page that shows the claim."""
        if target not in self.data["claims"]:
            return None
        title, document, anchor = self.data["claims"][target]
        return make_refnode(builder, fromdocname, document, anchor, contnode, title)

    def resolve_any_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        target: str,
        node: pending_xref,
        contnode: nodes.Element,
    ) -> list[tuple[str, nodes.reference]]:
        """The same for ``:any:``."""
        found = self.resolve_xref(env, fromdocname, builder, "claim", target, node, contnode)
        return [] if found is None else [(f"{NAME}:claim", found)]

    def get_objects(self) -> Iterable[tuple[str, str, str, str, str, int]]:
        """What the search and other projects find."""
        for claim, (title, document, anchor) in self.data["claims"].items():
            yield claim, title, "claim", document, anchor, 1


def domain_of(env: BuildEnvironment) -> VerifydiffDomain:
    """The domain of a build."""
    return env.get_domain(NAME)  # type: ignore[no-any-return]


def proved_documents(app: Sphinx, env: BuildEnvironment, *_: Any) -> list[str]:
    """The pages that show a proof are read anew by every build: what they depend on is not files alone."""
    return [document for document in domain_of(env).data["documents"] if document in env.found_docs]


def reference(claim: str, content: Iterable[nodes.Node]) -> pending_xref:
    """A reference to a claim around some nodes, which stay where no page shows it."""
    inside = nodes.inline("", "", *content)
    return pending_xref("", inside, refdomain=NAME, reftype="claim", reftarget=claim, refexplicit=True, refwarn=False)
