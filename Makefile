# make demo    the main job in one terminal: two real proofs, requested over TCP, verified
# make test    the whole suite
# make lint    formatting, clippy, docs, dependency policy, spelling
# make help    the rest

# One target directory and one profile (release) for demo, tests and lints: SP1 takes 10 to 20 minutes to build.
ON ?= Electra, 1
CARGO_TARGET_DIR ?= $(HOME)/.cache/proof-server/target
export CARGO_TARGET_DIR
TOOLS := $(HOME)/.cache/proof-server/tools
CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.2
CARGO_MUTANTS := 27.1.0
TYPOS := 1.52.0
BIN := $(CARGO_TARGET_DIR)/release
PROMTOOL := $(TOOLS)/prometheus/usr/bin
export PATH := $(PATH):$(PROMTOOL):$(TOOLS)/haproxy/usr/sbin

.DEFAULT_GOAL := help
.PHONY: help deps build demo snark snark-fixtures test lint one-build fmt clippy doc deny typos artifacts check-artifacts profile profile-proof recordings spec-vectors \
        spec-vectors-large bench contracts contracts-check chart-library-check fuzz fuzz-check mutants check-readme load chaos promtool fleet-container fleet-dashboards fleet-pictures fleet-scale-out fleet-terraform haproxy

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

deps: ## install what the build needs (protoc, C and C++ compilers), or say how
	@scripts/install-deps

# --workspace always: another selection of packages would select other features, and build SP1 anew.
build: deps ## build proof-server, light-client, simulator, bench and load
	cargo build --release --workspace --locked

demo: build ## a server, a light client, two real proofs
	@scripts/demo $(BIN)

snark: build ## a development circuit, a server, two real Groth16 proofs: hours and 25 GiB (SNARK="--mode plonk")
	@scripts/snark $(BIN) $(SNARK)

# The SNARKs that tests verify, of the programs as they are: renew them when a program's key changes.
snark-fixtures: build ## make the SNARKs in artifacts/snarks anew (SNARK="--mode plonk")
	scripts/snark $(BIN) --out $(HOME)/.cache/proof-server/snarks $(SNARK)
	scripts/snark-record keep $(HOME)/.cache/proof-server/snarks \
	  "$$(ls -d "$${PROOF_SERVER_CIRCUITS:-$${XDG_DATA_HOME:-$$HOME/.local/share}/proof-server/circuits}"/*-$(if $(findstring plonk,$(SNARK)),plonk,groth16)-dev)"
	$(MAKE) contracts

test: deps promtool ## the whole suite, with real proofs
	cargo test --release --workspace --locked
	cargo test --release --locked -p proof-server --no-default-features --features otel \
	  --target-dir $(CARGO_TARGET_DIR)/no-sp1 --test server -- otel
	cd fuzz && cargo test --release --lib --locked
	cd contracts && cargo test --release --locked

lint: one-build fmt clippy doc deny typos ## everything that is not a test

one-build: ## demo and tests share one build of SP1
	scripts/check-one-build

fmt: ## formatting of the host, guest, fuzz and contracts workspaces
	cargo fmt --all --check
	cd programs && cargo fmt --all --check
	cd fuzz && cargo fmt --check
	cd contracts && cargo fmt --check

clippy: deps ## lints, in every feature set that users build
	cargo clippy --release --workspace --all-targets --locked -- -D warnings
	cargo clippy --release -p lc-core --no-default-features --locked -- -D warnings
	cargo clippy --release -p proof-server --no-default-features --locked -- -D warnings
	cargo clippy --release -p proof-server --no-default-features --features otel --all-targets --locked -- -D warnings
	cargo clippy --release -p proof-server-bench --no-default-features --all-targets --locked -- -D warnings
	cd fuzz && cargo clippy --release --all-targets --all-features --locked -- -D warnings
	cd contracts && cargo clippy --release --all-targets --locked -- -D warnings

doc: deps ## documentation without warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --locked

deny: $(TOOLS)/bin/cargo-deny ## licences, sources and bans of all dependencies
	PATH="$(TOOLS)/bin:$$PATH" cargo deny check bans licenses sources
	cd programs && PATH="$(TOOLS)/bin:$$PATH" cargo deny --config ../deny.toml check bans licenses sources
	cd fuzz && PATH="$(TOOLS)/bin:$$PATH" cargo deny --config ../deny.toml check bans licenses sources
	cd contracts && PATH="$(TOOLS)/bin:$$PATH" cargo deny --config ../deny.toml check bans licenses sources

typos: $(TOOLS)/typos/bin/typos ## spelling
	$(TOOLS)/typos/bin/typos

artifacts: build ## rebuild the guests' ELFs, their keys and the manifest
	@scripts/install-deps --guests
	scripts/build-guests
	$(BIN)/proof-server artifacts

profile: deps ## where the programs' cycles go, by function, on recorded input (ON=Fulu: which recording)
	@scripts/install-deps --guests
	scripts/build-guests --symbols --out $(CARGO_TARGET_DIR)/profile
	cargo run --release --locked -p proof-server --no-default-features --features guest-input \
	  --target-dir $(CARGO_TARGET_DIR)/no-sp1 --example profile -- $(CARGO_TARGET_DIR)/profile/artifacts '$(ON)'

profile-proof: deps ## seconds and memory of proving recorded input, step by step (ON=Fulu: which recording)
	cargo run --release --locked -p proof-server --example prove -- '$(ON)'

check-artifacts: ## rebuild the guests elsewhere and compare with what is committed
	@scripts/install-deps --guests
	@# 3: another guest toolchain than the recorded one is installed, nothing was compared.
	scripts/build-guests --check || [ $$? -eq 3 ]

recordings: build ## rewrite the simulator's recordings
	$(BIN)/simulator record --out bench/recordings/simulated --replace
	$(BIN)/simulator record --out bench/recordings/simulated-shallow-tries --replace --periods 1 --trie-depth 0
	$(BIN)/simulator record --out bench/recordings/simulated-deep-tries --replace --periods 1 --trie-depth 14

spec-vectors: ## make the specification's vectors again and compare with what is committed
	scripts/spec-vectors

spec-vectors-large: ## make those that are too large or slow to commit, and run them
	scripts/spec-vectors --large
	SPEC_VECTORS=$(HOME)/.cache/proof-server/spec-vectors/large cargo test --release --workspace --locked --test spec_vectors --test spec_statements

contracts: contracts/node_modules ## compile the contracts into contracts/artifacts
	node contracts/build.mjs

contracts-check: contracts/node_modules ## compile the contracts elsewhere and compare with what is committed
	node contracts/build.mjs --check

chart-library-check: ## fetch the reports' chart library and compare with what is committed
	@scripts/install-deps --contracts
	scripts/chart-library

# The compiler is JavaScript: nothing of it needs to run at installation.
contracts/node_modules: contracts/package-lock.json
	@scripts/install-deps --contracts
	cd contracts && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

fuzz-check: deps $(TOOLS)/bin/cargo-fuzz ## the fuzz targets' seeds and some seconds of each target, for CI
	PATH="$(TOOLS)/bin:$$PATH" scripts/fuzz check

fuzz: deps $(TOOLS)/bin/cargo-fuzz ## fuzz each target for TIME seconds (60); needs a nightly Rust
	PATH="$(TOOLS)/bin:$$PATH" scripts/fuzz run

load: build ## a thousand clients ask a server with the mock engine for 100,000 proofs: 22 minutes (LOAD="--requests 4000": one)
	$(BIN)/load run $(LOAD)

chaos: build ## a server's processes are killed under its clients for 10 minutes (CHAOS="--roles --seed 2")
	$(BIN)/load chaos $(CHAOS)

fleet-scale-out: build haproxy ## four and five hosts behind a real HAProxy, with faults: 4 minutes, root (SCALE_OUT="faults": one part)
	scripts/check-scale-out $(BIN) $(SCALE_OUT)

mutants: deps $(TOOLS)/bin/cargo-mutants ## changes to core and signature that no test sees (FILE=core/src/merkle.rs; without, nine hours)
	PATH="$(TOOLS)/bin:$$PATH" scripts/mutants $(FILE)

fleet-terraform: build promtool ## Terraform's plans, a pretended cloud, the host's scripts, and a host that boots and proves: 4 minutes
	scripts/check-terraform $(BIN)

bench: build ## core, server and programs against the last run, two minutes (BENCH="--save-baseline NAME")
	cargo bench --workspace --locked --bench core --bench server --bench guests -- $(BENCH)

fleet-container: build ## the image and the compose file, run here: a real STARK in a locked container (root)
	@scripts/container-tools $(TOOLS)
	@scripts/check-container $(BIN) $(TOOLS)

check-readme: build ## run the README's commands
	scripts/check-readme $(BIN)

fleet-dashboards: build ## dashboards, rules and alerts: form, unit tests, and every fault on real servers: two minutes
	TOOLS=$(TOOLS) scripts/check-dashboards $(BIN)

# Not in CI: 600 MB of Grafana's components.
fleet-pictures: build ## the same, and draw the dashboards into docs/images with Grafana's components (needs chromium)
	TOOLS=$(TOOLS) scripts/check-dashboards $(BIN) --keep $(TOOLS)/dashboards/kept.json
	TOOLS=$(TOOLS) scripts/draw-dashboards $(TOOLS)/dashboards/kept.json docs/images

# Prometheus' own checker, for the test of /metrics, which says so where there is none. Unpacked and not
# installed: the package would start a server.
promtool:
	@command -v promtool > /dev/null || test -x $(PROMTOOL)/promtool || \
	  (mkdir -p $(TOOLS)/prometheus && cd $(TOOLS)/prometheus && apt-get download prometheus && dpkg -x prometheus_*.deb .) || \
	  echo "no promtool: the test of the metrics' format will be skipped"

# The balancer, for its tests. Unpacked and not installed: the package would start one.
haproxy:
	@scripts/install-haproxy $(TOOLS)/haproxy

$(TOOLS)/bin/cargo-deny:
	CARGO_TARGET_DIR=$(TOOLS)/target cargo install cargo-deny --version $(CARGO_DENY) --locked --root $(TOOLS)
	rm -rf $(TOOLS)/target

$(TOOLS)/bin/cargo-fuzz:
	CARGO_TARGET_DIR=$(TOOLS)/target cargo install cargo-fuzz --version $(CARGO_FUZZ) --locked --root $(TOOLS)
	rm -rf $(TOOLS)/target

$(TOOLS)/bin/cargo-mutants:
	CARGO_TARGET_DIR=$(TOOLS)/target cargo install cargo-mutants --version $(CARGO_MUTANTS) --locked --root $(TOOLS)
	rm -rf $(TOOLS)/target

$(TOOLS)/typos/bin/typos:
	python3 -m pip install --quiet --target $(TOOLS)/typos typos==$(TYPOS)
