"""What `sam build` makes of the templates runs on the processor it was built for, and is small."""

import marshal
import os
import re
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.templates.expansion import ROOT, SCENARIOS, of_type, read

# One worker runs them: they share what was built.
pytestmark = [pytest.mark.build, pytest.mark.xdist_group("build")]

MEGABYTES = 1024 * 1024
# Lambda takes 250 MB of a function's code and layers, unzipped; the rest is room to grow.
LIMIT = 225 * MEGABYTES
LARGEST_LAYER = 180 * MEGABYTES
MAKEFILES = {
    "ServiceLogsLayer": "service_logs",
    "OpenSearchLayer": "opensearch",
    "AwsWranglerLayer": "awswrangler",
}
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Build for a processor, once, whatever order the tests come in; give the folder of parts."""
    return cache(lambda architecture: sam_build(architecture, tmp_path_factory.mktemp("built")))


@pytest.fixture(params=MACHINES)
def built(request, build):
    """Return the name of a processor and the folder of the parts that were built for it."""
    return request.param, build(request.param)


def sam_build(architecture, folder):
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "ARCHITECTURE": architecture,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "SAM_CLI_TELEMETRY": "0",
        # A builder's own wish, which must not reach the layers.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = ["sam", "build", "--no-cached", "--template-file", "template.yaml"]
    overrides = ["--parameter-overrides", f"Architecture={architecture}"]
    built = subprocess.run(
        [*command, "--build-dir", str(folder), *overrides],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    return folder


def parts(folder, kind):
    """Return the folders that functions or layers were built into."""
    ids = {
        logical_id for name in SCENARIOS for logical_id in of_type(read(name)["Resources"], kind)
    }
    return [path for path in folder.glob("*/*") if path.name in ids]


def layers(folder):
    return parts(folder, "AWS::Serverless::LayerVersion")


def size(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def test_every_function_and_layer_is_built(built):
    _, folder = built
    assert {path.name for path in layers(folder)} == set(MAKEFILES)
    functions = parts(folder, "AWS::Serverless::Function")
    assert {path.name for path in functions} == {
        logical_id
        for name in SCENARIOS
        for logical_id in of_type(read(name)["Resources"], "AWS::Serverless::Function")
    }
    assert all((function / "app.py").exists() for function in functions)


def test_every_wheel_is_for_the_processor_or_for_all(built):
    architecture, folder = built
    tags = {
        tag
        for layer in layers(folder)
        for wheel in layer.glob("python/*.dist-info/WHEEL")
        for tag in re.findall(r"^Tag: (\S+)$", wheel.read_text(), re.MULTILINE)
    }
    compiled = {tag for tag in tags if not tag.endswith("-any")}
    assert compiled
    assert all(tag.endswith(f"_{MACHINES[architecture]}") for tag in compiled), compiled
    assert all(re.match(r"cp313-|cp3\d+-abi3-", tag) for tag in compiled), compiled


def layers_of(scenario):
    """Return the names of each function's layers, by the function's logical id."""
    template = read(scenario)
    shared = template.get("Globals", {}).get("Function", {}).get("Layers", [])
    return {
        logical_id: [
            # A condition chooses between what is built here and what somebody names.
            layer["Ref"] if "Ref" in layer else layer["Fn::If"][1]["Ref"]
            for layer in [*shared, *function["Properties"].get("Layers", [])]
        ]
        for logical_id, function in of_type(
            template["Resources"], "AWS::Serverless::Function"
        ).items()
    }


def test_code_and_layers_of_a_function_fit_lambda(built):
    _, folder = built
    sizes = {path.name: size(path) for path in folder.glob("*/*") if path.is_dir()}
    for scenario in SCENARIOS:
        for function, its_layers in layers_of(scenario).items():
            whole = sizes[function] + sum(sizes[layer] for layer in its_layers)
            assert whole <= LIMIT, f"{function}: {whole / MEGABYTES:.0f} MB"


def test_no_layer_takes_the_room_that_the_others_need(built):
    _, folder = built
    for layer in layers(folder):
        assert size(layer) <= LARGEST_LAYER, f"{layer.name}: {size(layer) / MEGABYTES:.0f} MB"


def test_shared_libraries_hold_all_that_a_program_loads_and_nothing_else(built):
    """What awswrangler needs is past Lambda's limit with the tables of debuggers and linkers."""
    _, folder = built
    layer = next(folder.glob("*/AwsWranglerLayer"))
    libraries = [path.read_bytes() for path in layer.rglob("*.so*")]
    assert len(libraries) > 50
    for library in libraries:
        table, sections = struct.unpack_from("<QQ", library, 32)
        size, count = struct.unpack_from("<HH", library, 54)
        headers = [struct.unpack_from("<IIQQQQ", library, table + i * size) for i in range(count)]
        assert sections == 0
        assert len(library) == max(offset + length for _, _, offset, _, _, length in headers)


def test_the_layer_carries_the_package_and_nothing_that_only_serves_us(built):
    _, folder = built
    layer = next(folder.glob("*/ServiceLogsLayer"))
    assert (layer / "python/servicelogs/formats/__init__.py").exists()
    assert {path.name for path in layer.iterdir()} == {"python"}
    carried = {path.name for path in (layer / "python").iterdir()}
    carried |= {path.name for path in (layer / "python/servicelogs").rglob("*")}
    assert not carried & {
        "Makefile",
        "requirements.txt",
        "README.md",
        "tests",
        "bin",
    }


def test_every_file_of_a_layer_is_compiled_for_the_runtime_whatever_its_date(built):
    """Lambda can write no byte code beside them: each cold start would compile them again."""
    _, folder = built
    for layer in layers(folder):
        sources = {str(path.relative_to(layer)) for path in layer.rglob("*.py")}
        compiled = [*layer.rglob("*.pyc")]
        assert {path.name.removesuffix(".pyc").split(".")[-1] for path in compiled} == {
            "cpython-313"
        }
        assert {
            str(path.relative_to(layer).parents[1] / f"{path.name.split('.')[0]}.py")
            for path in compiled
        } == sources
        for path in compiled:
            content = path.read_bytes()
            # A hash of the source that is not compared with it: https://peps.python.org/pep-0552/
            assert int.from_bytes(content[4:8], "little") == 0b01, path
            name = marshal.loads(content[16:]).co_filename
            assert name == f"/opt/{path.relative_to(layer).parents[1] / name.split('/')[-1]}"


def test_no_layer_carries_what_the_runtime_has_or_nobody_imports(built):
    _, folder = built
    carried = {path.name for layer in layers(folder) for path in (layer / "python").iterdir()}
    assert not carried & {"boto3", "botocore", "s3transfer", "grpc", "google", "aws_xray_sdk"}


def test_what_the_layers_leave_out_is_not_missed(tmp_path):
    """Built for this machine, the handlers' imports work with the runtime's boto3 and no more."""
    for layer, name in MAKEFILES.items():
        makefile = ROOT / "layers" / name / "Makefile"
        subprocess.run(
            ["make", "--makefile", str(makefile), f"build-{layer}"],
            env={**os.environ, "ARTIFACTS_DIR": str(tmp_path), "ARCHITECTURE": "host"},
            capture_output=True,
            check=True,
        )
    environment = Path(sys.prefix) / "lib" / "python3.13" / "site-packages"
    for name in ("boto3", "botocore", "s3transfer"):
        (tmp_path / "python" / name).symlink_to(environment / name)
    script = (
        "from aws_lambda_powertools import Logger, Metrics;"
        "import servicelogs.opensearch.setup, servicelogs.sources.parquet;"
        "import servicelogs.sources.decompression;"
        "import awswrangler, pyarrow.csv, pyarrow.dataset, pyarrow.fs; print('fine')"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": str(tmp_path / "python")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "fine\n", ran.stderr
