"""A file in, its formulas out: where each stands, and the words around it."""

from .document import Document as Document
from .document import Found as Found
from .document import Part as Part
from .file import read as read
from .file import read_text as read_text
from .joining import Statement as Statement
from .joining import statements as statements
