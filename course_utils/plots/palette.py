"""The eight colours of Okabe and Ito, which stay apart for every common kind of colour blindness."""

from __future__ import annotations


class Palette(tuple):
    """Colours as hex strings, by position, by name or by attribute: `palette[0]`, `palette["blue"]`, `palette.blue`."""

    names = ("blue", "orange", "green", "vermillion", "purple", "sky", "yellow", "black")

    def __getitem__(self, key):
        return super().__getitem__(self._position(key) if isinstance(key, str) else key)

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as missing:
            raise AttributeError(missing.args[0]) from None

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(f"there is no colour {name!r}; there are {', '.join(self.names)}")
        return self.names.index(name)


# Source: M. Okabe and K. Ito, "Color Universal Design", 2008. Ordered so that the first lines of a plot differ most.
palette = Palette(("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"))
