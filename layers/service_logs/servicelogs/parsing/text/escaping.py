"""Makes a block of lines safe for JSON as a whole, so that values can be printed as they are."""


class JsonSafe:
    """Escape what may not stand in a JSON string, but for quotes; CRLF becomes LF.

    `keep` is the control character that separates columns, if one does; `quote` is how AWS writes a
    quote inside quotes, if it does not leave it as it is.
    """

    def __init__(self, keep: str = "", quote: bytes = rb"\x22") -> None:
        kept = {ord("\n"), *keep.encode()}
        controls = [byte for byte in range(0x20) if byte not in kept]
        self._care = bytes(
            0 if byte in controls or byte >= 0x80 or byte == ord("\\") else byte
            for byte in range(256)
        )
        self._not_controls = bytes(byte for byte in range(256) if byte not in controls)
        self._quote = quote.replace(b"\\", b"\\\\")

    def __call__(self, block: bytes) -> bytes:
        """Escape a block of lines."""
        if b"\0" not in block.translate(self._care):
            return block
        block = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
        if not block.isascii():
            block = block.decode("utf-8", "replace").encode()
        block = block.replace(b"\\", b"\\\\")
        if self._quote:
            block = block.replace(self._quote, b"\\u0022")
        # Each at once: a block may consist of nothing else.
        for control in {*block.translate(None, self._not_controls)}:
            block = block.replace(bytes([control]), b"\\u%04x" % control)
        return block
