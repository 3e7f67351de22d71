"""What stands on a page."""

from __future__ import annotations

from html.parser import HTMLParser


class Outline(HTMLParser):
    """Elements with their attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.inside = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def all(self, key: str) -> list[str]:
        """The values of an attribute, wherever it is."""
        return [attrs[key] or "" for _, attrs in self.elements if key in attrs]
