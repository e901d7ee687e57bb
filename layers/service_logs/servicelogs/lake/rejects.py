"""Rejects of the objects of a batch: files that wait, like its rows, for their publication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from servicelogs.delivery.lines_file import LinesFile
from servicelogs.delivery.rejects import file_key, line
from servicelogs.lake.manifests import OutputReject
from servicelogs.lake.names import REJECTED
from servicelogs.records import Reject, Source

if TYPE_CHECKING:
    from servicelogs.lake.files import Files

type _Place = tuple[str, str]
"""The keys of a file: where it waits, and where it is to be."""


class ObjectRejects:
    """The rejects of one object; most have none."""

    def __init__(self, source: Source, folder: str) -> None:
        """Let files wait in this folder."""
        self.source = source
        """What is known of it; which files it has does not depend on its place."""
        self._folder = folder
        self._files: dict[_Place, LinesFile] = {}

    def add(self, reject: Reject, log_type: str) -> None:
        """Append a reject."""
        place = (
            self._key(log_type, reject.number, self._folder),
            self._key(log_type, reject.number, REJECTED),
        )
        if place not in self._files:
            self._files[place] = LinesFile()
        self._files[place].append(line(reject, self.source, log_type))

    def save(self, files: Files) -> list[OutputReject]:
        """Write the files to where they wait, and give them."""
        for (key, _), lines in self._files.items():
            files.s3.put_object(
                Bucket=files.bucket,
                Key=key,
                Body=lines.compressed(),
                ContentType="application/gzip",
            )
        return [OutputReject(key, to) for key, to in self._files]

    def close(self) -> None:
        """Give up the memory or temporary files that the rejects take."""
        for lines in self._files.values():
            lines.close()

    def _key(self, log_type: str, number: int, folder: str) -> str:
        return file_key(self.source, log_type, number, folder)
