"""What custom resources answer, without CloudFormation."""

import json

import pytest


@pytest.fixture
def answered(monkeypatch):
    """Collect what the handler sends to CloudFormation."""
    answers = []

    class Response:
        status = 200

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def urlopen(sent, timeout):
        assert sent.get_method() == "PUT"
        assert sent.full_url == "https://answer.example/here"
        answers.append(json.loads(sent.data))
        return Response()

    monkeypatch.setattr("servicelogs.cloudformation.urllib.request.urlopen", urlopen)
    return answers
