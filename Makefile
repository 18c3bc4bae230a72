# blobsmith: build, test, demo. Every target sets up what it needs (as root on Debian bookworm).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := build

BUILD ?= build
JOBS ?= $(shell nproc)
PYTHON := $(BUILD)/venv/bin/python
FUZZ_SECONDS ?= 120
TARGETS ?= blobsmith
# Of dist and wheels: aarch64 too where it can be tested, by qemu, which is there or can be installed. Looked at when they begin.
EMULATED = $(shell command -v qemu-aarch64-static || { [ "$$(id -u)" = 0 ] && apt-cache show qemu-user-static 2>/dev/null; })
ARCHES ?= $(shell uname -m)$(if $(and $(filter x86_64,$(shell uname -m)),$(EMULATED)), aarch64)
# Debian's source packages, and what those of cmake/superbuild that have no CMake ask for.
DIST := dpkg-dev gperf perl tcl
FOREIGN = $(if $(filter-out $(shell uname -m),$(ARCHES)),qemu-user-static libc6-arm64-cross)
UNITY := -DCMAKE_UNITY_BUILD=ON

.PHONY: build web browser demo test test-asan test-wheel fuzz bench conformance lint check-all kills setup python dist wheels clean

setup:                       ## compilers and libraries from Debian's packages
	tools/setup.sh

build: setup web             ## build/blobsmith
	page=()
	[ ! -e web/dist/index.html ] || page+=(-DBLOBSMITH_WEB_DIR=$(CURDIR)/web/dist)
	[ ! -e $(BUILD)/web/netron/index.html ] || page+=(-DBLOBSMITH_NETRON_DIR=$(abspath $(BUILD)/web/netron))
	cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(UNITY) "$${page[@]}"
	cmake --build $(BUILD) --target $(TARGETS) -j $(JOBS)

web: setup                   ## the page of `blobsmith serve` (web/dist) and Netron; without the registries of npm and PyPI, a plain page takes its place
	tools/web.sh $(BUILD)/web || echo "The page can't be built: serve shows a plain one." >&2

python: $(BUILD)/venv/.ready ## what the tests and the demo need from PyPI, pinned
$(BUILD)/venv/.ready: tests/requirements.txt | setup
	python3 -m venv $(BUILD)/venv
	$(PYTHON) -m pip install -q --disable-pip-version-check --no-compile -r tests/requirements.txt
	for v in 1.4.0 1.2.5; do $(PYTHON) -m pip install -q --disable-pip-version-check --no-deps --upgrade --target $(BUILD)/clients/$$v blobconverter==$$v; done
	touch $@

$(BUILD)/venv/.openvino: tests/conformance/requirements.txt $(BUILD)/venv/.ready
	$(PYTHON) -m pip install -q --disable-pip-version-check -r $<
	touch $@

demo: build python           ## three real networks: model -> blob -> result, beside ONNX Runtime; one more through the service
	$(PYTHON) examples/demo.py --tool $(BUILD)/blobsmith --work $(BUILD)/demo
	$(PYTHON) examples/faces.py --tool $(BUILD)/blobsmith --work $(BUILD)/demo
	$(PYTHON) examples/service.py --tool $(BUILD)/blobsmith --work $(BUILD)/demo

test:                        ## every test; what comes from PyPI is fetched during the build
	$(MAKE) -j 2 build python TARGETS="blobsmith unit_tests"
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)
	# One more than processors: some tests wait for most of their time.
	$(PYTHON) -m pytest -q -n $$(( $(JOBS) + 1 )) tests --tool $(BUILD)/blobsmith

test-wheel: build python     ## a wheel in fresh environments of every CPython that is here, depthai on what it writes, the C interface under valgrind
	tools/setup.sh valgrind
	rm -rf $(BUILD)/wheel
	$(PYTHON) -m pip wheel -q --disable-pip-version-check . --no-deps -w $(BUILD)/wheel
	$(PYTHON) -m pytest -q tests/wheel --wheel $(BUILD)/wheel/*.whl --tool $(BUILD)/blobsmith
	BLOBSMITH_VALGRIND=1 $(PYTHON) -m pytest -q tests/python/test_c_interface.py --tool $(BUILD)/blobsmith

dist: build python           ## dist/: the program as one static file, .deb, tarball, SHA256SUMS; by zig from PyPI
	echo "programs for: $(ARCHES)"
	tools/setup.sh $(DIST) $(FOREIGN)
	for arch in $(ARCHES); do JOBS=$(JOBS) tools/dist.sh program $$arch $(BUILD)-dist dist; done
	$(PYTHON) -m pytest -q tests/wheel/test_programs.py --made dist --tool $(BUILD)/blobsmith

wheels: build python         ## dist/: a wheel for manylinux_2_17, and the tests of wheels on it; by zig from PyPI
	echo "wheels for: $(ARCHES)"
	tools/setup.sh $(DIST) $(FOREIGN)
	for arch in $(ARCHES); do
	  JOBS=$(JOBS) tools/dist.sh wheel $$arch $(BUILD)-dist dist
	  $(PYTHON) -m pytest -q tests/wheel/test_wheel.py --wheel dist/blobsmith-*_$$arch.whl --tool $(BUILD)/blobsmith
	done

test-asan: python            ## unit tests, and the program's as far as they don't measure memory, under the address and undefined-behaviour sanitizers
	CXX=clang++ cmake -S . -B $(BUILD)-asan -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DBLOBSMITH_SANITIZE=ON $(UNITY)
	cmake --build $(BUILD)-asan -j $(JOBS)
	ctest --test-dir $(BUILD)-asan --output-on-failure -j $(JOBS)
	$(PYTHON) -m pytest -q -n $(JOBS) tests/cli --tool $(BUILD)-asan/blobsmith

fuzz: build python            ## libFuzzer on everything that reads files, FUZZ_SECONDS each
	CXX=clang++ cmake -S . -B $(BUILD)-fuzz -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DBLOBSMITH_FUZZ=ON -DBLOBSMITH_TESTS=OFF $(UNITY)
	cmake --build $(BUILD)-fuzz --target fuzzers -j $(JOBS)
	PYTHON=$(PYTHON) fuzz/run.sh $(BUILD)/blobsmith $(BUILD)-fuzz $(FUZZ_SECONDS)

bench: build python          ## compile time and memory against the reference compiler, time of a run against ONNX Runtime, where networks are present
	$(PYTHON) benchmarks/compile_time.py --tool $(BUILD)/blobsmith
	$(PYTHON) benchmarks/run_time.py --tool $(BUILD)/blobsmith
	$(PYTHON) benchmarks/serve_load.py --tool $(BUILD)/blobsmith
	$(PYTHON) benchmarks/front_door.py --tool $(BUILD)/blobsmith

conformance: build python $(BUILD)/venv/.openvino ## random networks, many options and single operations through both compilers, where the reference compiler is present; blobs against their models, models against ONNX Runtime and OpenVINO
	$(PYTHON) tests/conformance/fuzz_graphs.py --tool $(BUILD)/blobsmith --count 2000 --jobs $(JOBS) --minimise
	$(PYTHON) tests/conformance/option_sweep.py --tool $(BUILD)/blobsmith --jobs $(JOBS)
	$(PYTHON) tests/conformance/config_sweep.py --tool $(BUILD)/blobsmith --jobs $(JOBS)
	$(PYTHON) tests/conformance/estimate.py --tool $(BUILD)/blobsmith
	$(PYTHON) tests/conformance/check_agrees.py --tool $(BUILD)/blobsmith
	$(PYTHON) tests/conformance/single_ops.py --tool $(BUILD)/blobsmith --jobs $(JOBS)
	$(PYTHON) tests/conformance/onnx_node_tests.py --tool $(BUILD)/blobsmith --jobs $(JOBS)
	$(PYTHON) tests/conformance/onnx_attributes.py --tool $(BUILD)/blobsmith --jobs $(JOBS)
	$(PYTHON) tests/conformance/emulator_fixtures.py --tool $(BUILD)/blobsmith
	$(PYTHON) tests/conformance/compare_operations.py --tool $(BUILD)/blobsmith
	$(PYTHON) tests/conformance/reference_operations.py --tool $(BUILD)/blobsmith
	$(PYTHON) tests/conformance/reference_executor.py --tool $(BUILD)/blobsmith

lint: build python           ## clang-format and clang-tidy, pinned
	$(PYTHON) -m pip install -q --disable-pip-version-check clang-format==19.1.7 clang-tidy==19.1.0
	git ls-files 'src/*.cpp' 'src/*.hpp' 'include/*.hpp' 'tests/*.cpp' 'tests/*.hpp' 'fuzz/*.cpp' | xargs $(BUILD)/venv/bin/clang-format --dry-run --Werror
	cmake -S . -B $(BUILD)-lint -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DBLOBSMITH_TESTS=OFF $(UNITY) > /dev/null
	cmake --build $(BUILD)-lint --target importer_protos -j $(JOBS)
	(find $(BUILD)-lint/CMakeFiles -name 'unity_*.cxx' -not -path '*importer_protos*'; echo src/compute/simd.cpp src/core/version.cpp) | \
	  xargs -P $(JOBS) -n 1 nice $(BUILD)/venv/bin/clang-tidy -p $(BUILD)-lint --config-file=.clang-tidy --quiet

kills: build python          ## the service: servers, workers and databases killed a hundred times, every case of its OpenAPI description
	BLOBSMITH_KILLS=100 BLOBSMITH_DESCRIPTION=1 $(PYTHON) -m pytest -q tests/serve/test_shared.py tests/serve/test_openapi.py -k "many_kills or every_case" --tool $(BUILD)/blobsmith

check-all: browser test test-wheel test-asan fuzz bench conformance kills ## everything, long

browser:                     ## Chromium, for the tests of the page, which are skipped without one
	tools/setup.sh chromium

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-fuzz $(BUILD)-lint $(BUILD)-dist dist web/dist web/node_modules tests/web/node_modules
