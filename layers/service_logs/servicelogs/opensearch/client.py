"""Connect to the search engine: signed, with a password, or openly; compressed cheaply."""

import base64
import json
import logging
import os
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
import certifi
import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from isal import igzip
from opensearchpy import (
    JSONSerializer,
    OpenSearch,
    Urllib3AWSV4SignerAuth,
    Urllib3HttpConnection,
)

from servicelogs.errors import ConfigurationError
from servicelogs.opensearch.packed import LEVEL, Gzip
from servicelogs.settings import SearchSettings

# Of requests that say nothing else; the writer says how long it can wait.
TIMEOUT_SECONDS = 30

# A rotated password reaches a warm function within this time.
SECRET_SECONDS = 300

# A signature holds for one Region: the domain's, which stands in its own address, whatever the
# partition's suffix: `x.eu-west-1.es.amazonaws.com`, `x.aos.eu-west-1.on.aws` with IPv6 too.
_REGION = "[a-z0-9]+(?:-[a-z0-9]+)+"
_AWS_HOST = re.compile(
    rf"[^.]+\.(?:(?P<region>{_REGION})\.(?:es|aoss)\.|(?:aos|aoss)\.(?P<dual>{_REGION})\.on\.)"
)


# What opensearch-py asks, with method, address and body, for the headers of each request.
type Authentication = Callable[[str, str, Any], dict[str, str]]


class CheapGzipConnection(Urllib3HttpConnection):
    """Compresses bodies that are not compressed yet, at a low level of igzip's.

    The level 9 that opensearch-py asks of gzip takes longer than everything else a writer does.
    It compresses before it signs, so what is signed is what is sent.
    """

    def _gzip_compress(self, body: str | bytes) -> bytes:
        if isinstance(body, Gzip):
            return body
        raw = body.encode() if isinstance(body, str) else body
        return igzip.compress(raw, compresslevel=LEVEL)


# How a bulk request's answer names a document that was created.
_CREATED = '{"create":{"status":201}}'


class AnswerDecoder(JSONSerializer):
    """Decodes answers in a fraction of json's time: a bulk request's has an item a document."""

    def loads(self, s: str) -> Any:
        """Decode what msgspec takes for JSON; leave it to json what is not, or to say why."""
        documents = s.count(_CREATED)
        if s == f'{{"items":[{",".join([_CREATED] * documents)}]}}':
            return {"items": [{"create": {"status": 201}}] * documents}
        try:
            return msgspec.json.decode(s)
        except (ValueError, RecursionError):
            return super().loads(s)


class SecretPassword:
    """Authenticates with the user name and password of a Secrets Manager secret."""

    def __init__(self, arn: str, session: boto3.Session) -> None:
        self._arn = arn
        self._client = session.client("secretsmanager", region_name=_region_of_arn(arn))
        self._read()

    def __call__(self, *_request: Any) -> dict[str, str]:
        """Return the header, read again when the secret may have been rotated."""
        if time.monotonic() > self._until:
            self._read()
        return {"authorization": self._header}

    def _read(self) -> None:
        try:
            text = self._client.get_secret_value(SecretId=self._arn)["SecretString"]
        except (BotoCoreError, ClientError, KeyError) as error:
            raise ConfigurationError(
                f"OPENSEARCH_SECRET_ARN {self._arn!r} cannot be read as text: {error}"
            ) from error
        try:
            secret = json.loads(text)
            pair = f"{secret['username']}:{secret['password']}"
        except (ValueError, KeyError, TypeError) as error:
            # The text itself is a secret: it is not shown, nor is the error that may quote it.
            raise ConfigurationError(
                f"the secret {self._arn!r} must be JSON with the keys username and password"
            ) from error
        self.user = str(secret["username"])
        self._header = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._until = time.monotonic() + SECRET_SECONDS


def connect(settings: SearchSettings, session: boto3.Session | None = None) -> OpenSearch:
    """Return a client that tries each request once and hides no answer.

    `session` is the caller's, if it has one: making another takes as long as making clients.
    """
    address = urlsplit(settings.endpoint)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigurationError(
            "OPENSEARCH_ENDPOINT must be https://host or http://host:port, "
            f"not {settings.endpoint!r}"
        )
    # The writer judges, counts and reports each failure; a traceback of its own says nothing more.
    logging.getLogger("opensearch").setLevel(logging.ERROR)
    secure = address.scheme == "https"
    host = {
        "host": address.hostname,
        "port": address.port or (443 if secure else 80),
        "use_ssl": secure,
    }
    return OpenSearch(
        hosts=[host],
        http_auth=authenticate(settings, address.hostname, session),
        # Left to itself, the client takes a folder in SSL_CERT_DIR for a file.
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        connection_class=CheapGzipConnection,
        serializer=AnswerDecoder(),
        http_compress=True,
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
        retry_on_status=(),
        retry_on_timeout=False,
    )


def authenticate(
    settings: SearchSettings, host: str, session: boto3.Session | None
) -> Authentication | None:
    """Give what makes the headers that let requests in at a host; None where nothing is asked."""
    match settings.auth:
        case "none":
            return None
        case "basic":
            return SecretPassword(settings.secret_arn, session or boto3.Session())
        case "sigv4":
            service = "es" if settings.engine_type == "opensearch" else "aoss"
            return _signer(host, service, session or boto3.Session())
    raise ConfigurationError(f"OPENSEARCH_AUTH must be sigv4, basic or none, not {settings.auth!r}")


def _signer(host: str, service: str, session: boto3.Session) -> Authentication:
    found = _AWS_HOST.match(host)
    region = found["region"] or found["dual"] if found else session.region_name
    if not region:
        raise ConfigurationError(
            f"the endpoint {host!r} does not name its region: AWS_REGION must be set"
        )
    credentials = session.get_credentials()
    if credentials is None:
        raise ConfigurationError(
            "OPENSEARCH_AUTH is sigv4 and there are no AWS credentials: run with a role, "
            "or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
        )
    signer: Authentication = Urllib3AWSV4SignerAuth(credentials, region, service)
    return signer


def _region_of_arn(arn: str) -> str | None:
    parts = arn.split(":")
    return parts[3] or None if len(parts) > 3 else None
