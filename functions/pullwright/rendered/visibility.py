"""What a browser draws of GitHub's rendered HTML.

GitHub's sanitizer lets people write a few elements and attributes only, so most of this concerns what GitHub
itself adds. It is checked all the same: no hidden text may reach an agent because a sanitizer has changed.
"""

import re

from justhtml import Element

# https://html.spec.whatwg.org/multipage/rendering.html#hidden-elements, and elements whose content is drawn
# only by browsers that do not know them, or not as text.
_HIDDEN_NAMES = """
area audio base basefont canvas datalist dialog embed frame frameset head iframe link map meta meter
noembed noframes noscript object optgroup option param progress rp script select source style template
textarea title tool-tip track video
"""
_HIDDEN = frozenset(_HIDDEN_NAMES.split())
# What an answer by e-mail quotes stands behind three dots, with no word of what it is.
_HIDDEN_CLASSES = frozenset({"d-none", "email-hidden-reply", "email-hidden-toggle", "sr-only", "v-hidden"})
_HIDDEN_ATTRIBUTES = frozenset({"hidden", "popover"})
# GitHub itself writes these styles. Any other could make text small, transparent or lie elsewhere.
_HARMLESS_STYLE = re.compile(
    r"\s*(?:(?:max-width:\s*100%|text-align:\s*(?:left|center|right)|display:\s*(?:block|inline|inline-block))(?:\s*;)?\s*)*",
    re.IGNORECASE,
)
# Of the font size around them: https://github.com/sindresorhus/github-markdown-css, and 50 % for `rt` as
# https://html.spec.whatwg.org/multipage/rendering.html#phrasing-content-3 says.
_SCALES = {
    **dict.fromkeys(("sub", "sup"), 0.75),
    **dict.fromkeys(("code", "h5", "h6", "pre", "samp", "tt"), 0.85),
    "small": 0.9,
    "rt": 0.5,
}
# Of GitHub's 14 or 16 pixels: smaller text is a line of dots.
SMALLEST_SCALE = 0.4


def is_hidden(element: Element) -> bool:
    """Return whether a browser shows nothing of an element and of all that is in it."""
    attributes = element.attrs
    # SVG and MathML have text that is not drawn.
    if element.name in _HIDDEN or element.namespace != "html" or _HIDDEN_ATTRIBUTES & attributes.keys():
        return True
    if classes(element) & _HIDDEN_CLASSES:
        return True
    if element.name in {"basefont", "font"} and {"color", "size"} & attributes.keys():
        return True
    return not _HARMLESS_STYLE.fullmatch(attributes.get("style") or "")


def scale(element: Element) -> float:
    """Return the font size in an element, where the one around it is 1."""
    return _SCALES.get(element.name, 1.0)


def classes(element: Element) -> frozenset[str]:
    """Return the classes of an element; people cannot write any."""
    return frozenset((element.attrs.get("class") or "").split())
