"""The lake's Parquet files in S3, where awswrangler writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, override

import awswrangler
import boto3
import pandas
import pyarrow

from servicelogs.lake.parquet_files import COMPRESSION, writer_options

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class OneClientSession(boto3.Session):
    """Makes a client of each service once, whatever it is asked for."""

    def __init__(self, **of_session: Any) -> None:
        super().__init__(**of_session)
        self._clients: dict[str, Any] = {}

    @override
    def client(self, service_name: str, *arguments: Any, **options: Any) -> Any:
        """Give the service's client; the first call's options count."""
        if service_name not in self._clients:
            make: Any = super().client
            self._clients[service_name] = make(service_name, *arguments, **options)
        return self._clients[service_name]


class ParquetFilesInS3:
    """Files under a prefix of a bucket."""

    def __init__(self, session: boto3.Session, bucket: str, prefix: str) -> None:
        """Write with a session that makes its client once: awswrangler asks it for each file."""
        self._session = session
        self._s3: S3Client = session.client("s3")
        self._bucket = bucket
        self._prefix = prefix

    def write(self, table: pyarrow.Table, name: str) -> int:
        """Write a table as one row group to the key of this name."""
        key = f"{self._prefix}{name}"
        frame = table.to_pandas(types_mapper=_NamedDtype, split_blocks=True)
        # awswrangler looks up each column by its name, which in pandas' own texts takes longer: a
        # tenth of a small file's time.
        frame.columns = pandas.Index(table.column_names, dtype=object)
        awswrangler.s3.to_parquet(
            frame,
            path=f"s3://{self._bucket}/{key}",
            dataset=False,
            index=False,
            compression=COMPRESSION,
            use_threads=False,
            boto3_session=self._session,
            pyarrow_additional_kwargs={
                **writer_options(table.schema),
                "schema": table.schema,
                "flavor": None,
                "write_table_args": {"row_group_size": table.num_rows},
            },
        )
        return self._s3.head_object(Bucket=self._bucket, Key=key)["ContentLength"]


_NAMES = {
    pyarrow.string(): "string",
    pyarrow.int32(): "Int32",
    pyarrow.int64(): "Int64",
    pyarrow.float64(): "float64",
    pyarrow.bool_(): "boolean",
}
"""What awswrangler knows these types by. Of any other name it makes a frame of the column alone to
find out: most of a small file's time."""


class _NamedDtype(pandas.ArrowDtype):  # type: ignore[misc]  # it has no types
    """Arrow's type under the name of one that is not Arrow's."""

    @override
    def __str__(self) -> str:
        return _NAMES.get(self.pyarrow_dtype) or str(super().__str__())

    @override
    def construct_array_type(self) -> type[_NamedArray]:
        return _NamedArray


class _NamedArray(pandas.arrays.ArrowExtensionArray):  # type: ignore[misc]  # it has no types
    """Arrow's values, whose type has such a name."""

    @property
    @override
    def dtype(self) -> _NamedDtype:
        return _NamedDtype(super().dtype.pyarrow_dtype)
