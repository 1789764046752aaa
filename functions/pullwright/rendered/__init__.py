"""GitHub's rendered HTML as text: what people see on the page, and nothing that they do not."""

from pullwright.rendered.page import page_text

__all__ = ["page_text"]
