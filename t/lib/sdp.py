# SPDX-License-Identifier: GPL-3.0-or-later
"""SDP taken apart for assertions: sections, lines, attributes. Strict about line ends, since tests check bytes."""


class Media:
    """One m-line with the lines under it, in order and as they were."""

    def __init__(self, line):
        self.line = line
        self.lines = [line]
        words = line[2:].split(" ")
        self.kind, self.port, self.proto, self.formats = words[0], int(words[1].split("/")[0]), words[2], words[3:]

    def values(self, name):
        """Values of every a=NAME under this m-line; None for one without a value."""
        return [value for key, value in self.attributes() if key == name]

    def value(self, name):
        """The value of a=NAME where it must occur exactly once."""
        values = self.values(name)
        assert len(values) == 1, f"{len(values)} lines a={name} in\n{self}"
        return values[0]

    def has(self, name):
        return bool(self.values(name))

    def attributes(self):
        for line in self.lines:
            if line.startswith("a="):
                key, colon, value = line[2:].partition(":")
                yield key, value if colon else None

    def connection(self):
        """The address of this line's own c=, or None."""
        found = [line.split(" ")[2] for line in self.lines if line.startswith("c=")]
        assert len(found) <= 1, f"{len(found)} c= lines in\n{self}"
        return found[0] if found else None

    def __str__(self):
        return "\n".join(self.lines)


class Sdp:
    """A whole description; .session are the lines before the first m=, .media the sections."""

    def __init__(self, text):
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogateescape")
        self.text = text
        assert text.endswith("\r\n"), f"no CRLF at the end of {text!r}"
        self.session, self.media = [], []
        for line in text[:-2].split("\r\n"):
            assert "\r" not in line and "\n" not in line, f"stray line end in {line!r}"
            assert len(line) > 1 and line[1] == "=", f"not an SDP line: {line!r}"
            if line.startswith("m="):
                self.media.append(Media(line))
            elif self.media:
                self.media[-1].lines.append(line)
            else:
                self.session.append(line)

    def address(self, index):
        """The address that holds for m-line @index: its own c=, else the session's."""
        own = self.media[index].connection()
        if own:
            return own
        found = [line.split(" ")[2] for line in self.session if line.startswith("c=")]
        assert len(found) == 1, f"no c= for m-line {index} in\n{self}"
        return found[0]

    def endpoint(self, index):
        return self.address(index), self.media[index].port

    def fingerprint(self, index):
        """The one fingerprint of m-line @index as (hash, hex)."""
        name, digest = self.media[index].value("fingerprint").split(" ")
        return name, digest

    def __str__(self):
        return self.text.replace("\r\n", "\n")


def lines(*text):
    """An SDP text from its lines."""
    return "".join(line + "\r\n" for line in text)
