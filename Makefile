# Everything a person needs; `make` alone prints this list.
PRESET ?= release
BUILD  := build/$(PRESET)
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
export MESSAGES ?= 10000
SECONDS ?= 60
ROUNDS ?= 1
SEED ?= 0

.DEFAULT_GOAL := help
.PHONY: help setup configure build run unit test soak image-test fuzz coverage tsan check format tidy bench bench-growth profile bench-workers bench-peers install clean

help: ## print these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 15

setup: ## install the packages that are missing (Debian, Ubuntu)
	@tests/support/setup.sh

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json | setup
	@mkdir -p build && cmake --preset $(PRESET) > $(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }

configure: setup $(BUILD)/build.ninja
compile = cmake --build --preset $(PRESET) -j $(JOBS)

build: configure ## build build/release/sluice (PRESET=debug: with sanitizers)
	@$(compile) --target sluice

run: configure ## watch it work: a sandbox queue, a private Postgres, 10,000 messages (MESSAGES=n)
	@$(compile) --target sluice aws_sandbox
	@tests/support/demo.sh $(BUILD)

unit: configure ## the pure tests, seconds
	@$(compile) --target unit_tests
	@ctest --preset $(PRESET) -L unit -j $(JOBS)

# Twice as many at once as there are processors: most tests wait. What could not be fetched is skipped, and the end of the
# run says so and why. `sync`: while gigabytes of a build are still being written, an fsync was seen to wait for 28 s, and a
# stop is to end in five.
test: configure ## every test, on real parts
	@$(compile)
	@sync
	@ctest --preset $(PRESET) -j $$((2 * $(JOBS))); status=$$?; cat build/foreign/*.missing 2> /dev/null; exit $$status

soak: configure ## simulated histories, each with its own faults, from a random seed on (SECONDS=n; PLAN=… plays one)
	@$(compile) --target soak
	@$(BUILD)/tests/soak $(or $(PLAN),$(SECONDS))

image-test: configure ## build the container image with podman, and run it as a cluster would (root)
	@$(compile) --target sluice aws_sandbox
	@tests/kubernetes/image.sh $(BUILD)

fuzz: ## libFuzzer on every parser, JOBS at a time (SECONDS=n each; SEED=n for the same inputs again)
	@$(MAKE) --no-print-directory configure PRESET=fuzz
	@cmake --build --preset fuzz -j $(JOBS) --target fuzz
	@tests/fuzz/fuzz.sh build/fuzz/tests/fuzz/fuzz $(SECONDS) $(JOBS) $(SEED)

tsan: ## the tests with threads, under ThreadSanitizer
	@$(MAKE) --no-print-directory configure PRESET=tsan
	@cmake --build --preset tsan -j $(JOBS)
	@ctest --preset tsan -j $(JOBS) -L 'unit|contract|integration|crash|end_to_end'

coverage: ## lines that the suites reach, and the uncovered ones of the promises
	@$(MAKE) --no-print-directory configure PRESET=coverage
	@cmake --build --preset coverage -j $(JOBS)
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage -j $(JOBS) -LE 'mutation|model|fuzz|schedulers|airflow|kubernetes|install'; status=$$?; tests/support/coverage.py build/coverage && exit $$status

format: ## format the sources in place
	@clang-format -i $$(git ls-files '*.h' '*.cc')

tidy: configure ## static analysis; every finding is an error
	@git ls-files 'job/*.cc' 'checkpoint/*.cc' | xargs -P $(JOBS) -n 4 clang-tidy --quiet -p $(BUILD)

check: configure ## format, tidy, every test, again under each sanitizer, and the fuzzers
	@clang-format --dry-run --Werror $$(git ls-files '*.h' '*.cc')
	@$(MAKE) --no-print-directory tidy
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test PRESET=debug
	@$(MAKE) --no-print-directory tsan
	@$(MAKE) --no-print-directory fuzz

bench: configure ## micro benchmarks, the load step beside a plain COPY, the whole program beside a bare loop (ROUNDS=n)
	@$(compile) --target bench_micro bench_load bench_bare_loop sluice aws_sandbox
	@$(BUILD)/bench/bench_micro
	@python3 bench/instructions.py $(BUILD)
	@$(BUILD)/bench/bench_load
	@python3 bench/whole.py $(BUILD) --rounds $(ROUNDS)

bench-growth: configure ## whether a message costs the same in a queue of five million, and with twenty million in the ledger
	@$(compile) --target sluice aws_sandbox
	@python3 bench/growth.py $(BUILD)

profile: configure ## where the processor's time goes in a whole run: by part, by function, and a flame graph
	@$(compile) --target sluice aws_sandbox
	@python3 bench/profile_run.py $(BUILD)

bench-workers: configure ## what 2, 4 and 8 workers bring at 10 ms to the queue (ROUNDS=n, three minutes each)
	@$(compile) --target sluice aws_sandbox
	@python3 bench/workers.py $(BUILD) --rounds $(ROUNDS)

bench-peers: configure ## the same work by Go, Bento, sqs-consumer and Python, side by side (ROUNDS=n, five minutes each)
	@$(compile) --target sluice aws_sandbox
	@python3 bench/peers.py $(BUILD) --rounds $(ROUNDS)

# The scheduler runs as somebody else: others may read it, whatever the umask of whoever installs.
install: build ## install under PREFIX (DESTDIR for packagers)
	@umask 022 && DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX) --strip

clean: ## remove everything that was built
	@rm -rf build
