"""Markdown as hypothesis writes it, of the marks that decide what a word on the page is."""

from hypothesis import strategies as st

# fmt: off
MARKDOWN = (
    "@pullwright", "/stop", "a", " ", "   ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "\xa0",
    ">", "> ", "- ", "1. ", "# ", "*", "\\", "`", "``", "```", "```\n", "~~~\n", "|", "| a |\n| - |\n",
    "<!--", "-->", "<b>", "</b>", "<pre>", "</pre>", "<div>\n", "<details>", '<a href="', '">',
    "[x](", ")", "[^1]", "[^1]: ", "$", "$$\n",
)
# fmt: on
WRITTEN = st.lists(st.sampled_from(MARKDOWN), max_size=9).map("".join)
