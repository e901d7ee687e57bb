# What every layer's Makefile shares: installing its pinned requirements for the processor it will run on,
# and compiling what is then there.
#
# ARCHITECTURE is arm64 (the default, as in the templates), x86_64, or host: the machine that builds, for
# a stack that runs on it. SAM does not pass the architecture to a makefile, so it must match the parameter.
ARCHITECTURE ?= arm64
PLATFORM_arm64 := --python-platform aarch64-manylinux_2_28
PLATFORM_x86_64 := --python-platform x86_64-manylinux_2_28
PLATFORM_host :=
ifeq ($(origin PLATFORM_$(ARCHITECTURE)),undefined)
$(error ARCHITECTURE must be arm64, x86_64 or host, not '$(ARCHITECTURE)')
endif

# The version that the functions run on, whatever machine builds: byte code of another is never read.
VERSION := 3.13
UV := $(firstword $(wildcard $(LAYER)../../.bootstrap/bin/uv) $(shell command -v uv))
ifeq ($(UV),)
$(error uv was not found: run `make env` first, or put uv on the PATH)
endif

.PHONY: install
install:
	"$(UV)" pip install --quiet --python $(VERSION) \
		$(PLATFORM_$(ARCHITECTURE)) --only-binary :all: --no-deps --require-hashes \
		--target "$(ARTIFACTS_DIR)/python" --requirements "$(LAYER)requirements.txt"
	rm -rf "$(ARTIFACTS_DIR)/python/bin"

# The byte code of all that is in the layer: the last step of its build. Lambda can write none beside it, so
# that each cold start would compile every file again. Unchecked: packing changes the files' dates. The
# paths are those of Lambda, the same wherever this is built; -I: no variable of the builder's counts.
define compile
find "$(ARTIFACTS_DIR)/python" -type d -name __pycache__ -prune -exec rm -rf {} +
"$$("$(UV)" python find $(VERSION))" -I -m compileall -q --invalidation-mode unchecked-hash \
	-s "$(ARTIFACTS_DIR)/python" -p /opt/python "$(ARTIFACTS_DIR)/python"
endef
