r"""From tokens to trees: operator precedence by recursive descent, strict, with bounded depth.

What stands side by side is multiplied, unless the first is a function: a density, a network, a letter that is indexed by time in
brackets. A formula that is not read to its end is not read at all; the token at which understanding ended is told.

.. code-block:: text

    statements = chain { break chain }         sum     = ["+" | "-"] product { ("+" | "-") product }
    chain      = sum { relation sum }          product = factor { ["\cdot" | "/"] factor }
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from .cursor import Cursor
from .shapes import (
    bounds_of,
    is_divergence,
    is_function,
    is_label,
    is_transpose,
    items_of,
    operator_of,
    takes_time,
    without_differentials,
)
from .tokens import BRANCH, NotUnderstoodError
from .tree import (
    Absolute,
    Applied,
    Call,
    Cases,
    Chain,
    Differential,
    Dots,
    Gradient,
    Group,
    Large,
    Letter,
    Listed,
    Mean,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Range,
    Root,
    Sum,
    Term,
)
from .words import (
    ACCENTS,
    CLOSERS,
    DENSITIES,
    DIFFERENTIALS,
    DOTS,
    ENDING,
    FONTS,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    LABELS,
    LARGE,
    MEANS,
    PRODUCTS,
    SCRIPTS,
    STATED,
    VARIANTS,
    WORDS,
)


def parse(source: str) -> tuple[Chain, ...]:
    """The statements of a formula, and the bare expressions among them as chains without relations.

    Raises:
        NotUnderstoodError: at the token where understanding ended.
    """
    return _Parser(source).statements()


def parse_one(source: str) -> Node:
    """A single expression.

    Raises:
        NotUnderstoodError: if it is anything else.
    """
    chains = parse(source)
    if len(chains) != 1 or chains[0].relations:
        raise NotUnderstoodError(source[:20], 0, "one expression was expected")
    return chains[0].sides[0]


class _Parser(Cursor):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.within_bars = False  # whether the next bar closes or separates, and opens nothing

    # -- statements --------------------------------------------------------------------------------------------------------

    def statements(self) -> tuple[Chain, ...]:
        found: list[Chain] = []
        while self.here.kind != "end":
            if self.separates():
                self.take()
            else:
                found.append(self.chain(found))
                if self.here.kind != "end" and not self.separates():
                    raise self.refused()
        return tuple(found)

    def separates(self) -> bool:
        if self.here.kind == "text":
            return not self.is_word()
        return self.here.kind == "break" or self.is_sign(",", ";", ".", ":")

    def is_word(self) -> bool:
        text = self.here.text.strip()
        return text in WORDS or (text.isascii() and text.isalpha() and self.peek().text in ("(", "_", "["))

    def chain(self, before: list[Chain] | None = None) -> Chain:
        start = self.here.start
        sides: list[Node] = []
        relations: list[str] = []
        if self.here.kind == "relation":  # "= b" goes on with what another span has begun
            sides.append(Dots(start, start))
        else:
            sides.append(self.conditioned())
        while self.here.kind == "relation":
            relations.append(self.take().text)
            sides.append(self.sum())
        return Chain(start, self.ended, tuple(sides), tuple(relations))

    def conditioned(self) -> Node:
        r"""A side, or a letter with what is given: the law of x | y, written without a density."""
        node = self.sum()
        if not (self.is_sign("|") or self.is_command("mid", "vert")) or not isinstance(node, (Letter, Call)):
            return node
        marks: list[str] = []
        items: list[Node] = [node]
        while self.is_sign("|", ",") or self.is_command("mid", "vert"):
            marks.append("," if self.take().text == "," else "|")
            items.append(self.argument())
        return Call(node.start, self.ended, Letter(node.start, node.start, "q"), tuple(items), tuple(marks))

    # -- sums and products ---------------------------------------------------------------------------------------------------

    def sum(self) -> Node:
        return self.deeper(self._sum)

    def _sum(self) -> Node:
        start = self.here.start
        terms = [self.term(first=True)]
        while self.is_sign("+", "-"):
            terms.append(self.term(first=False))
        if len(terms) == 1 and terms[0].sign > 0:
            return terms[0].body
        return Sum(start, self.ended, tuple(terms))

    def barred(self, within: bool) -> Node:
        """A sum within bars, or within brackets that shut them out."""
        before, self.within_bars = self.within_bars, within
        try:
            return self.sum()
        finally:
            self.within_bars = before

    def term(self, first: bool) -> Term:
        start, sign = self.here.start, 1
        while self.is_sign("+", "-"):
            if self.take().text == "-":
                sign = -sign
            if first and self.is_sign("+", "-"):
                raise self.refused("two signs in a row")
            first = True
        body = self.product()
        return Term(start, self.ended, sign, body)

    def product(self) -> Node:
        start = self.here.start
        factors = [self.factor()]
        while True:
            if self.is_command(*PRODUCTS) or (self.is_sign("*")):
                self.take()
                factors.append(self.factor())
            elif self.is_sign("/"):
                self.take()
                below = self.factor()
                above = factors[0] if len(factors) == 1 else Product(start, factors[-1].end, tuple(factors))
                factors = [Quotient(start, self.ended, above, below, flat=True)]
            elif self.begins_factor():
                factors.append(self.factor())
            else:
                break
        if len(factors) == 1:
            return factors[0]
        return Product(start, self.ended, tuple(factors))

    def begins_factor(self) -> bool:
        token = self.here
        if token.kind in ("letter", "number"):
            return True
        if token.kind == "text":
            return self.is_word()
        if token.kind == "sign":
            return token.text in ("(", "[", "{") or (self.is_sign("|") and not self.within_bars and self.opens_norm())
        if token.kind == "command":
            if token.text in ("|", "Vert", "lVert"):
                return not self.within_bars
            return token.text not in ENDING
        return False

    def factor(self) -> Node:
        return self.deeper(self._factor)

    def _factor(self) -> Node:
        start = self.here.start
        node = self.atom()
        while self.is_sign("^", "_", "'"):
            node = self.raised(start, node)
        return node

    def raised(self, start: int, node: Node) -> Node:
        if self.accept("'"):
            raise self.refused("a prime on what is no letter")
        if self.accept("_"):
            if (rooted := self.indexed_root(node)) is not None:
                return rooted
            if not isinstance(node.base if isinstance(node, Power) else node, (Norm, Listed)):
                raise self.refused("an index on what is no letter")
            self.script()
            return node
        self.take()
        exponent = self.script()
        if is_transpose(exponent):
            return node
        return Power(start, self.ended, node, exponent)

    def indexed_root(self, node: Node) -> Node | None:
        r"""The root of an indexed letter, where the index was written behind the root: \sqrt\beta_t."""
        if not isinstance(node, Root) or not isinstance(node.body, Letter) or node.body.index or node.body.end != node.end:
            return None
        letter = replace(node.body, index=items_of(self.script()), end=self.ended)
        return replace(node, body=letter, end=self.ended)

    def script(self) -> Node:
        """What stands in an index or an exponent: a group, or one token."""
        if self.is_sign("{"):
            return self.braced()
        if self.here.kind == "number" and len(self.here.text) > 1:
            token = self.here  # x^10 is x^1 0
            self.tokens[self.at] = replace(token, text=token.text[1:], start=token.start + 1)
            return Number(token.start, token.start + 1, Fraction(token.text[0]))
        if self.here.kind == "text":
            token = self.take()
            return Letter(token.start, token.end, "".join(token.text.split()))
        if self.is_sign("*", "+", "-"):
            token = self.take()
            return Letter(token.start, token.end, {"*": "star", "+": "plus", "-": "minus"}[token.text])
        if self.is_sign("'"):
            token = self.take()
            return Letter(token.start, token.end, "prime")
        return self.deeper(lambda: self.atom(bare=True))

    def braced(self) -> Node:
        """What braces hold; several items as a list."""
        start = self.here.start
        if (word := self.word()) is not None:
            if word in LABELS:
                return Letter(start, self.ended, word)
            self.at -= len(word) + 2
        self.expect("{")
        items: list[Node] = []
        while not self.is_sign("}"):
            if self.here.kind == "text":
                token = self.take()
                items.append(Letter(token.start, token.end, "".join(token.text.split())))
            elif self.is_sign("*", "'") or (self.is_sign("+", "-") and self.peek().text == "}"):
                items.append(self.script())
            else:
                items.append(self.script_item())
            while self.is_sign(",", ";", "|", ":") or self.is_command("mid", "|", "parallel") or self.here.kind == "break":
                self.take()
        self.expect("}")
        if len(items) == 1:
            return items[0]
        return Listed(start, self.ended, tuple(items))

    def script_item(self) -> Node:
        start = self.here.start
        if self.here.kind == "relation":
            self.take()
        node = self.sum()
        if self.is_sign(":"):
            self.take()
            return Range(start, self.here.end, node, self.sum())
        relations: list[str] = []
        sides = [node]
        while self.here.kind == "relation":
            relations.append(self.take().text)
            sides.append(self.sum())
        return Chain(start, self.ended, tuple(sides), tuple(relations)) if relations else node

    # -- atoms -------------------------------------------------------------------------------------------------------------

    def atom(self, bare: bool = False) -> Node:
        token = self.here
        if token.kind == "number":
            self.take()
            return Number(token.start, token.end, Fraction(token.text))
        if token.kind == "letter":
            return self.letter_or_more(bare)
        if token.kind == "text":
            if not self.is_word():
                raise self.refused("words within an expression")
            self.take()
            return self.hung(Letter(token.start, token.end, token.text.strip()), bare)
        if token.kind == "command":
            return self.command(bare)
        if token.kind == "sign":
            return self.bracketed(bare)
        raise self.refused()

    def letter_or_more(self, bare: bool) -> Node:
        token = self.take()
        if token.text == "K" and not bare and self.here.text == "L" and self.peek().text in ("(", "["):  # KL, written in italics
            self.take()
            return self.hung(Letter(token.start, self.ended, "KL"), bare)
        if token.text == "d" and not bare and self.begins_differential():
            return self.differential(token.start)
        return self.hung(Letter(token.start, token.end, token.text), bare)

    def begins_differential(self) -> bool:
        token = self.here
        if token.kind == "letter" or (token.kind == "command" and token.text in GREEK):
            return token.text in DIFFERENTIALS
        if token.kind == "command" and token.text in (*FONTS, *ACCENTS):
            inner = next((one for one in self.tokens[self.at + 1 : self.at + 5] if one.kind in ("letter", "command")), None)
            return inner is not None and inner.text in (*DIFFERENTIALS, *FONTS, *ACCENTS)
        return False

    def differential(self, start: int) -> Node:
        of = self.deeper(self._differential_of)
        return Differential(start, self.ended, of)

    def _differential_of(self) -> Node:
        node = self.atom(bare=True)
        if not isinstance(node, Letter):
            raise self.refused("a differential of what is no letter")
        return self.hung(node, bare=False, callable_=node.base in ("x", "w", "W", "y", "sigma", "alpha"))

    def command(self, bare: bool) -> Node:
        token = self.here
        name = token.text
        if name in ("Delta", "delta") and self.peek().text in ("t", "tau") and not bare:  # one letter: a step of time
            self.take()
            self.take()
            return self.hung(Letter(token.start, self.ended, "dt"), bare)
        if name in GREEK or name in VARIANTS:
            self.take()
            return self.hung(Letter(token.start, token.end, VARIANTS.get(name, name)), bare)
        if name in ACCENTS:
            return self.accented(bare)
        if name in FONTS or name in SCRIPTS:
            return self.styled(bare)
        if name in FRACTIONS:
            return self.fraction()
        if name == "sqrt":
            return self.root()
        if name in FUNCTIONS and (self.peek().text in ("}", "_", ",", ")") or (bare and name != "sqrt")):
            self.take()
            return Letter(token.start, token.end, name)
        if name in FUNCTIONS:
            self.take()
            return self.applied(token.start, name)
        if name in LARGE:
            return self.large(LARGE[name])
        if name == "nabla":
            return self.gradient()
        if name == "partial":
            self.take()
            return self.differential(token.start)
        if name in DOTS:
            self.take()
            return Dots(token.start, token.end)
        if name in ("lbrace", "{", "langle"):
            return self.delimited(bare)
        if name in ("|", "Vert", "lVert"):
            return self.norm()
        if name in ("vert", "lvert"):
            return self.absolute()
        if name == "choice":
            return self.choice()
        if name in STATED:
            return self.stated()
        if name == "prime":
            self.take()
            return Letter(token.start, token.end, "prime")
        raise self.refused("a command that is not read here")

    def choice(self) -> Node:
        """The branches of a choice. Of a condition it is only told whether it names a single value."""
        start = self.take().start
        branches: list[Node] = []
        special: list[bool] = []
        while not self.is_command("end of the choice"):
            branches.append(self.barred(False))
            relations = set()
            while not self.is_sign(BRANCH) and not self.is_command("end of the choice"):
                if self.here.kind == "end":
                    raise self.refused("a choice that never ends")
                relations |= {self.here.text} & {"=", "<", ">", "<=", ">=", "!="}
                self.take()
            special.append(relations == {"="})
            self.accept(BRANCH)
        self.take()
        return Cases(start, self.ended, tuple(branches), tuple(special))

    def stated(self) -> Node:
        """An expression with words over or under it, which are dropped."""
        over = self.take().text
        if over in ("overset", "stackrel", "underset"):
            self.skip_group()
            return self.group_body()
        body = self.group_body()
        if self.is_sign("_", "^"):
            self.take()
            self.skip_group()
        return body

    def skip_group(self) -> None:
        if not self.is_sign("{"):
            self.take()
            return
        depth = 0
        while self.here.kind != "end":
            depth += self.is_sign("{") - self.is_sign("}")
            self.take()
            if depth == 0:
                return
        raise self.refused("a brace is never closed")

    def group_body(self) -> Node:
        """The one expression that braces hold, or one token."""
        if not self.is_sign("{"):
            return self.deeper(lambda: self.atom(bare=True))
        start = self.here.start
        self.expect("{")
        body = self.barred(False)
        if self.is_command("over"):
            self.take()
            body = Quotient(start, self.here.end, body, self.sum())
        self.expect("}")
        return body

    def accented(self, bare: bool) -> Node:
        token = self.take()
        mark = ACCENTS[token.text]
        inner = self.group_body()
        if not isinstance(inner, Letter):
            raise self.refused("an accent over what is no letter") if mark else self.refused()
        marks = (*inner.marks, mark) if mark else inner.marks
        return self.hung(replace(inner, start=token.start, end=self.ended, marks=marks), bare)

    def styled(self, bare: bool) -> Node:
        token = self.take()
        if (word := self.word()) is not None:
            return self.named(token.start, word, bare)
        inner = self.group_body()
        if not isinstance(inner, Letter):
            if isinstance(inner, Number) or token.text in FONTS:
                return inner if isinstance(inner, Number) else Group(token.start, self.ended, inner)
            raise self.refused()
        base = f"{SCRIPTS[token.text]}:{inner.base}" if token.text in SCRIPTS else inner.base
        if token.text == "mathrm" and base == "d" and not bare and self.begins_differential():
            return self.differential(token.start)
        if base in ("bb:I", "bb:1"):
            base = "I"
        return self.hung(replace(inner, start=token.start, end=self.ended, base=base), bare)

    def word(self) -> str | None:
        """The word that braces hold, if they hold nothing else."""
        if not self.is_sign("{"):
            return None
        end = self.at + 1
        while self.tokens[end].kind == "letter" or (self.tokens[end].kind == "sign" and self.tokens[end].text == "-"):
            end += 1
        held = self.tokens[self.at + 1 : end]
        if len(held) < 2 or self.tokens[end].text != "}":
            return None
        self.at = end + 1
        return "".join(token.text for token in held)

    def named(self, start: int, word: str, bare: bool) -> Node:
        if word in FUNCTIONS:
            return self.applied(start, word)
        if word.startswith("d") and len(word) == 2 and word[1] in DIFFERENTIALS:  # \mathrm{dt}
            return Differential(start, self.ended, Letter(self.ended - 2, self.ended - 1, word[1]))
        return self.hung(Letter(start, self.ended, word), bare)

    # -- what hangs on a letter ------------------------------------------------------------------------------------------------

    def hung(self, letter: Letter, bare: bool, callable_: bool = True) -> Node:
        """The letter with its indices, powers and arguments; bare, nothing but itself."""
        if bare:
            return letter
        start, power = letter.start, None
        while True:
            if self.accept("'"):
                letter = replace(letter, marks=(*letter.marks, "prime"), end=self.ended)
            elif self.is_sign("_"):
                self.take()
                letter = replace(letter, index=(*letter.index, *items_of(self.script())), end=self.ended)
            elif self.is_sign("^") and power is None:
                self.take()
                letter, power = self.superscript(letter)
            else:
                break
        if letter.base in MEANS and self.opens_mean(letter) and not (letter.base == "E" and is_function(letter)):
            return self.mean(letter)
        node: Node = letter
        if callable_ and self.is_sign("(", "["):
            node = self.maybe_call(letter)
        if power is not None:
            node = Power(start, self.ended, node, power)
        return node

    def superscript(self, letter: Letter) -> tuple[Letter, Node | None]:
        exponent = self.script()
        if isinstance(exponent, Letter) and exponent.base in ("star", "prime", "plus", "minus", "dagger"):
            return replace(letter, marks=(*letter.marks, exponent.base), end=self.ended), None
        if is_transpose(exponent) and letter.base not in ("alpha", "beta"):
            return replace(letter, end=self.ended), None
        if is_label(exponent):
            return replace(letter, upper=(*letter.upper, *items_of(exponent)), end=self.ended), None
        return letter, exponent

    def opens_mean(self, letter: Letter) -> bool:
        opens = self.is_sign("[", "(") or self.is_command("lbrace", "{") or (self.is_sign("|") and letter.base == "bb:E")
        return opens or (letter.base.startswith("bb:E") and self.is_command("|", "lVert", "Vert"))

    def mean(self, letter: Letter) -> Node:
        """An expectation: what stands in its brackets, and after a bar what is given."""
        if self.is_command("|", "lVert", "Vert") or self.is_sign("|"):
            body = self.factor()
            return Mean(letter.start, self.ended, MEANS[letter.base], letter.index, body)
        opening = self.take().text
        body = self.barred(False)
        items: list[Node] = []
        while self.is_sign(",", "|", ";") or self.is_command("mid", "vert"):
            self.take()
            items.append(self.barred(False))
            if self.here.kind == "relation":  # given that x_t = x
                self.take()
                self.barred(False)
        self.expect(CLOSERS.get(opening, "}") if opening != "{" else "}")
        return Mean(letter.start, self.ended, MEANS[letter.base], letter.index, body, tuple(items))

    def maybe_call(self, letter: Letter) -> Node:
        """A call if what stands in the brackets are arguments; else the letter alone, and the bracket is a factor."""
        before, depth = self.at, self.depth
        square = self.is_sign("[")
        if square and letter.base not in ("KL", "D_KL", "H", "F", "cal:F", "Var", "Cov") and not is_divergence(letter):
            return letter
        try:
            arguments, marks = self.arguments()
        except NotUnderstoodError:
            if is_function(letter):
                raise
            self.at, self.depth = before, depth
            return letter
        if marks or is_function(letter) or takes_time(letter, arguments):
            return Call(letter.start, self.ended, letter, arguments, marks)
        self.at = before
        return letter

    def arguments(self) -> tuple[tuple[Node, ...], tuple[str, ...]]:
        closing = CLOSERS[self.take().text]
        arguments: list[Node] = [self.argument()]
        marks: list[str] = []
        while not self.is_sign(closing):
            marks.append(self.argument_mark())
            arguments.append(self.argument())
        self.expect(closing)
        return tuple(arguments), tuple(marks)

    def argument(self) -> Node:
        node = self.barred(True)
        if self.here.kind == "relation" and self.here.text in ("=", ":="):
            sides = [node]
            while self.here.kind == "relation":
                self.take()
                sides.append(self.sum())
            return Chain(node.start, self.ended, tuple(sides), ("=",) * (len(sides) - 1))
        return node

    def argument_mark(self) -> str:
        if self.is_sign(",", ";", ":"):
            return self.take().text
        if self.is_command("|", "parallel", "Vert", "lVert", "rVert"):
            self.take()
            return "||"
        if self.is_sign("|") or self.is_command("mid", "vert"):
            self.take()
            if self.is_sign("|") or self.is_command("mid"):
                self.take()
                return "||"
            return "|"
        raise self.refused("an argument was expected to end here")

    # -- brackets ------------------------------------------------------------------------------------------------------------

    def opens_norm(self) -> bool:
        """Whether the two bars that come next are closed before the bracket around them is, as a bar between two laws is not."""
        depth, bars = 0, 0
        for token in self.tokens[self.at :]:
            is_bar = token.kind == "sign" and token.text == "|"
            bars = bars + 1 if is_bar and (depth == 0 or not bars) else bars
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
            if bars == 4 or depth < 0 or (bars == 1 and not is_bar):
                break
        return bars == 4

    def bracketed(self, bare: bool) -> Node:
        if self.is_sign("{"):
            start = self.here.start
            body = self.group_body()
            return self.hung(replace(body, start=start, end=self.ended), bare) if isinstance(body, Letter) else body
        if self.is_sign("(", "["):
            return self.delimited(bare)
        if self.is_sign("|"):
            if self.peek().text == "|" and self.peek().kind == "sign":
                return self.norm()
            return self.absolute()
        raise self.refused()

    def delimited(self, bare: bool) -> Node:
        start = self.here.start
        opening = self.take().text
        closing = CLOSERS.get(opening, "}" if opening == "{" else "")
        items: list[Node] = [self.barred(False)]
        while self.is_sign(",", ";"):
            self.take()
            items.append(self.barred(False))
        if len(items) == 2 and opening in ("(", "[") and self.is_sign(")", "]"):
            self.take()
            return Listed(start, self.ended, tuple(items))
        while opening in ("lbrace", "{") and (self.here.kind == "relation" or self.is_sign("|", ":") or self.is_command("mid")):
            self.take()  # a set by what its members are
            items.append(self.barred(False))
        if self.here.kind == "relation" or self.is_sign("|"):
            raise self.refused("a relation within brackets")
        self.expect(closing)
        if len(items) == 1:
            return Group(start, self.ended, items[0])
        return Listed(start, self.ended, tuple(items))

    def norm(self) -> Node:
        start = self.here.start
        doubled = self.is_sign("|")
        self.take()
        if doubled:
            self.expect("|")
        body = self.barred(True)
        if doubled:
            self.expect("|")
            self.expect("|")
        elif not self.is_command("|", "Vert", "rVert", "lVert"):
            raise self.refused("the norm is never closed")
        else:
            self.take()
        return Norm(start, self.ended, body)

    def absolute(self) -> Node:
        start = self.here.start
        self.take()
        body = self.barred(True)
        if not (self.is_sign("|") or self.is_command("vert", "rvert")):
            raise self.refused("the absolute value is never closed")
        self.take()
        return Absolute(start, self.ended, body)

    # -- fractions, roots, functions ---------------------------------------------------------------------------------------------

    def fraction(self) -> Node:
        start = self.take().start
        above = self.fraction_part()
        below = self.fraction_part()
        if (operator := operator_of(above, below)) is not None:
            return self.derivative(start, *operator)
        return Quotient(start, self.ended, above, below)

    def fraction_part(self) -> Node:
        if self.is_sign("{"):
            if self.peek().text in ("partial", "d") and self.peek(2).text == "}":
                token = self.peek()
                self.at += 3
                return Letter(token.start, token.end, "d")
            return self.group_body()
        if self.here.kind == "number" and len(self.here.text) > 1:
            return self.script()
        return self.deeper(lambda: self.atom(bare=True))

    def derivative(self, start: int, along: Node, order: int) -> Node:
        body = self.operand()
        return Gradient(start, self.ended, body, along, order)

    def root(self) -> Node:
        start = self.take().start
        degree = None
        if self.is_sign("["):
            self.take()
            degree = self.sum()
            self.expect("]")
        if self.is_sign("("):  # a root sign taken from text: \sqrt(x)
            body = self.deeper(lambda: self.delimited(bare=True))
        elif self.here.kind == "number" and len(self.here.text) > 1:
            body = self.script()
        else:
            body = self.group_body()
        return Root(start, self.ended, body, degree)

    def applied(self, start: int, name: str) -> Node:
        power = None
        if self.is_sign("_"):
            self.take()
            self.script()
        if self.is_sign("^"):
            self.take()
            power = self.script()
        if name in ("max", "min"):
            items = self.listed()
            node: Node = Applied(start, self.ended, name, items)
        else:
            body = self.operand()
            node = Applied(start, self.ended, name, (body,))
        return node if power is None else Power(start, self.ended, node, power)

    def listed(self) -> tuple[Node, ...]:
        if not (self.is_sign("(", "[") or self.is_command("lbrace", "{")):
            raise self.refused("a bracket was expected")
        node = self.deeper(lambda: self.delimited(bare=True))
        return node.items if isinstance(node, Listed) else (node,)

    def operand(self) -> Node:
        """What a function without brackets is taken of: the factors up to the next sign; with brackets, these alone."""
        start = self.here.start
        if self.is_sign("(", "[") or self.is_command("lbrace", "{"):
            return self.factor()
        factors = [self.factor()]
        while self.begins_factor() and not self.is_command("log", "exp", "ln", "nabla", "left", *LARGE):
            if self.is_differential() or self.leaves_function(factors[-1]):
                break
            if self.is_command(*PRODUCTS):  # of several fractions; what else is multiplied by a logarithm is no part of it
                if not isinstance(factors[-1], Quotient) or self.peek().text not in FRACTIONS:
                    break
                self.take()
            factors.append(self.factor())
        if self.is_sign("/") and isinstance(factors[-1], Call):
            self.take()
            above = factors[0] if len(factors) == 1 else Product(start, self.ended, tuple(factors))
            return Quotient(start, self.ended, above, self.factor(), flat=True)
        return factors[0] if len(factors) == 1 else Product(start, self.ended, tuple(factors))

    def leaves_function(self, last: Node) -> bool:
        r"""Whether what comes next is multiplied by a function, and is no part of it: \nabla \log p(x) \Delta t."""
        if isinstance(last, Applied):
            return True
        if not isinstance(last, Call) or last.function.base not in DENSITIES:
            return False
        scales = self.is_command("Delta", "delta", "sqrt", *GREEK)
        return scales or (self.here.kind == "letter" and self.here.text not in DENSITIES)

    def is_differential(self) -> bool:
        r"""Whether dt or \mathrm{d}t comes next."""
        ahead = [token.text for token in self.tokens[self.at : self.at + 4]]
        length = 1 if ahead[:1] == ["d"] else 4 if ahead[0] in FONTS and ahead[1:] == ["{", "d", "}"] else 0
        if not length or self.at + length >= len(self.tokens):
            return False
        self.at += length
        try:
            return self.begins_differential()
        finally:
            self.at -= length

    def gradient(self) -> Node:
        start, order, along = self.take().start, 1, None
        while self.is_sign("_", "^"):
            if self.take().text == "_":
                along = self.script()
            else:
                exponent = self.script()
                if not (isinstance(exponent, Number) and exponent.value == 2):
                    raise self.refused("a gradient to that power")
                order = 2
        if self.is_command("cdot"):
            raise self.refused("a divergence is not read")
        body = self.operand()
        return Gradient(start, self.ended, body, along, order)

    # -- sums, products, integrals ------------------------------------------------------------------------------------------------

    def large(self, kind: str) -> Node:
        start = self.take().start
        index, low, high = None, None, None
        while self.is_sign("_", "^"):
            if self.take().text == "^":
                high = self.script()
            else:
                index, low, high = bounds_of(self.script(), high)
        if kind == "int":
            return self.integral(start, low if high is None else index, None if high is None else low, high)
        body = self.product()
        return Large(start, self.ended, kind, body, index, low, high)

    def integral(self, start: int, index: Node | None, low: Node | None, high: Node | None) -> Node:
        body = self.sum()
        body, over = without_differentials(body)
        if not over and index is None:
            raise NotUnderstoodError("\\int", start, "an integral without a differential")
        return Large(start, self.ended, "int", body, index, low, high, over)
