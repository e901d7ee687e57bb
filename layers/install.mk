# What every layer's Makefile shares: installing its pinned requirements for the processor it will run on.
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

UV := $(firstword $(wildcard $(LAYER)../../.bootstrap/bin/uv) $(shell command -v uv))
ifeq ($(UV),)
$(error uv was not found: run `make env` first, or put uv on the PATH)
endif

.PHONY: install
install:
	"$(UV)" pip install --quiet --python 3.13 \
		$(PLATFORM_$(ARCHITECTURE)) --only-binary :all: --no-deps --require-hashes \
		--target "$(ARTIFACTS_DIR)/python" --requirements "$(LAYER)requirements.txt"
	rm -rf "$(ARTIFACTS_DIR)/python/bin"
