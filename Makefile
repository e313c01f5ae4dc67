# Two commands on a fresh machine with Python >= 3.11 and a stable Rust toolchain:
#   make demo    sets everything up and estimates real requests
#   make test    sets everything up and runs every test, lint and type check
# Both re-run in seconds when nothing changed.

PYTHON ?= python3
BIN := .venv/bin
STAMPS := .stamps
ENGINE := $(shell find src -type f) Cargo.toml Cargo.lock pyproject.toml
EVERYTHING := $(ENGINE) $(wildcard *.toml *.md Makefile LICENSE-*) \
    $(shell find benches data demo docs python requirements tests tools -type f -not -name '*.so' -not -path '*/__pycache__/*')
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint rust-test python-test bench bench-peers instructions wheel docs clean

# The main job on real bundled data: a table on the terminal, JSON and Parquet beside it.
demo: $(STAMPS)/build
	@mkdir -p demo-output
	@$(BIN)/wattledger estimate demo/requests.jsonl.gz --fleet demo/fleet.toml --by deployment,hour --table \
	    -o demo-output/estimate.json -o demo-output/estimate.parquet
	@echo
	@echo "Try next:  $(BIN)/wattledger explain --model llama-3.1-70b --hardware h100 --site us-east-1 --input 1000 --output 500"

# Every test, lint and type check; nothing to do where all of them passed on the same files.
test: $(STAMPS)/tested
	@echo "every test, lint and type check has passed on these files (make clean forgets it)"

$(STAMPS)/tested: $(EVERYTHING)
	$(MAKE) lint rust-test python-test
	@touch $@

# Formatting, lints, types, and the stub against the module.
lint: $(STAMPS)/test-tools $(STAMPS)/build
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	cargo clippy --all-targets --features python --quiet -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest wattledger._engine --allowlist tests/python/stubtest-allowlist.txt

# The crate without Python: unit, integration and property tests, then the examples of its documentation.
rust-test:
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --no-fail-fast; else cargo test --tests --no-fail-fast; fi
	cargo test --doc --quiet

# The package: its tests, the examples of its documentation, and the commands of the README.
python-test: $(STAMPS)/test-tools $(STAMPS)/build
	$(BIN)/python -m pytest -q --benchmark-disable

# Speed, each bench checking its answer; compare ratios within one run only.
bench: $(STAMPS)/test-tools $(STAMPS)/build
	cargo bench --quiet
	$(BIN)/python -m pytest benches --benchmark-only -q --benchmark-columns=min,median,ops,rounds

# The same jobs by peers, interleaved, into the table of docs/performance.md: about twenty minutes and 4 GB under target/.
bench-peers: $(STAMPS)/peers $(STAMPS)/build
	PYTHONPATH=benches $(BIN)/python -m peers target/peers --table docs/performance.md

# Instructions of kernels and scanners, held against benches/instructions.toml where valgrind is installed.
instructions: $(STAMPS)/venv
	$(BIN)/python tools/count_instructions.py

# The wheel as it would be published.
wheel: $(STAMPS)/venv
	$(BIN)/maturin build --release --out dist
	@ls -l dist

# What of the pages is generated: fleet keys, catalog counts, the output and the table of the published measurements.
docs: $(STAMPS)/build
	$(BIN)/python tools/make_reference.py
	$(BIN)/python tools/make_published.py
	$(BIN)/python tools/make_tables.py
	$(BIN)/python tools/make_catalog_pages.py

$(STAMPS)/venv: requirements/demo.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements/demo.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/test-tools: requirements/test.txt $(STAMPS)/venv
	$(BIN)/pip install --quiet --requirement requirements/test.txt
	@touch $@

$(STAMPS)/peers: requirements/peers.txt $(STAMPS)/test-tools
	$(BIN)/pip install --quiet --requirement requirements/peers.txt
	@touch $@

$(STAMPS)/build: $(STAMPS)/venv $(ENGINE)
	$(BIN)/maturin develop --release --quiet
	@touch $@

clean:
	rm -rf .venv $(STAMPS) target dist demo-output python/wattledger/*.so
