"""Formulas, which GitHub draws from TeX: their source can say what the drawing does not show."""

import re

NOT_SHOWN = "[formula]"
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
# Names of environments have no braces; each command that is followed by none is one that is not understood.
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{([^{}]*)\}")
_BOUND = re.compile(r"\\(?:begin|end)(?![a-zA-Z])")
# A comment; a row's height, which may be negative; an environment's arguments, which are not drawn.
_UNSEEN = re.compile(r"(?<!\\)(?:\\\\)*%|\\\\\s*(?:\*\s*)?\[|\\begin\s*\{[^{}]*\}\s*[\[{]")
# Commands that draw all of what they are given, where it stands and at a size that can be read.
_LETTERS = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma
tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega aleph
hbar ell Re Im
"""
_OPERATORS = """
partial nabla infty emptyset forall exists neg lnot land lor wedge vee in notin ni subset subseteq supset
supseteq cup cap setminus times div cdot ast star circ bullet pm mp oplus otimes le leq ge geq lt gt ne
neq equiv approx sim simeq cong propto ll gg to gets rightarrow leftarrow Rightarrow Leftarrow
leftrightarrow Leftrightarrow mapsto implies iff uparrow downarrow perp parallel mid angle sum prod int
iint oint lim limsup liminf sup inf min max arg log ln lg exp sin cos tan cot sec csc sinh cosh tanh
arcsin arccos arctan det dim gcd ker deg hom Pr bmod pmod mod prime limits nolimits
"""
_SHAPES = """
frac dfrac tfrac binom sqrt overline underline hat bar vec dot ddot tilde widehat widetilde overbrace
underbrace left right big Big bigl bigr langle rangle lfloor rfloor lceil rceil lvert rvert lVert rVert
vert Vert lbrace rbrace dots ldots cdots vdots ddots quad qquad text textbf textit mathbf mathbb mathcal
mathfrak mathrm mathit mathsf operatorname begin end
"""
_ENVIRONMENTS = """
align align* aligned bmatrix Bmatrix cases equation equation* gather gather* gathered matrix pmatrix
smallmatrix split vmatrix Vmatrix
"""
_SIGNS = frozenset("\\,;:{}_&#$| \n%")
_DRAWN = frozenset((_LETTERS + _OPERATORS + _SHAPES).split()) | _SIGNS
_DRAWN_ENVIRONMENTS = frozenset(_ENVIRONMENTS.split())


def formula(source: str) -> str:
    """Return the source of a formula if all of it is drawn, else a placeholder.

    Args:
        source: TeX, with its dollars.
    """
    environments = _ENVIRONMENT.findall(source)
    is_drawn = (
        _UNSEEN.search(source) is None
        and _DRAWN.issuperset(_COMMAND.findall(source))
        and _DRAWN_ENVIRONMENTS.issuperset(environments)
        and len(environments) == len(_BOUND.findall(source))
    )
    return " ".join(source.split()) if is_drawn else NOT_SHOWN
