# What you need: Go and git. `make demo` shows the product, `make test` proves it, `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := bin/mergegate
# A folder of recorded GitOps repositories to compare plans with; empty where there is none.
CORPUS ?= $(wildcard ../shared/corpus)
# How many recorded changes of each repository the tests take (0: all).
export MERGEGATE_CORPUS_PAIRS ?= 2
export MERGEGATE_CORPUS := $(abspath $(CORPUS))
LINT := go tool -modfile=.ci/tools/go.mod golangci-lint

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build bin/mergegate
	@mkdir -p bin
	go build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/mergegate

.PHONY: devcluster bin/devcluster
devcluster: bin/devcluster ## build bin/devcluster, a real Kubernetes control plane for tests; minutes the first time, then nothing
bin/devcluster:
	@cmd/devcluster/build.sh $@

# One cluster serves all packages. It ends with its input, that is with this shell, however that ends.
.PHONY: test
test: bin/devcluster ## run every test with the race detector, PostgreSQL and Kubernetes included
	@echo "make test: all packages, race detector on; the first build takes some minutes"
	@coproc cluster { bin/devcluster up --dir "$$(mktemp -d)" --until-eof --rm; }; \
	  alive=$${cluster[1]}; read -r MERGEGATE_DEVCLUSTER_KUBECONFIG <&$${cluster[0]} || exit 1; \
	  export MERGEGATE_DEVCLUSTER_KUBECONFIG; \
	  go test -race -timeout 40m ./... || failed=1; \
	  exec {alive}>&-; wait; exit $${failed:-0}

.PHONY: demo
demo: build bin/devcluster ## show it all on this machine, no account needed; KEEP=1 leaves the pages open, REPO= BASE= HEAD= plans your own repository
	@go build -o bin/demo ./cmd/demo
	@bin/demo --bin $(BIN) $(if $(KEEP),--keep) $(if $(REPO),--repo '$(REPO)' --base '$(BASE)' --head '$(HEAD)')

.PHONY: corpus
corpus: build ## compare plans with the recorded results of stock tools (CORPUS=DIR)
	$(if $(CORPUS),python3 $(CORPUS)/compare.py --bin $(BIN) $(CORPUS),@echo "name a corpus folder: make corpus CORPUS=DIR"; exit 2)

.PHONY: lint
lint: build ## golangci-lint, gofmt, go vet, and opa fmt and check on the policies
	$(LINT) run ./...
	go mod tidy -diff
	$(LINT) fmt --diff cmd/devcluster
	cd cmd/devcluster && go mod tidy -diff
	$(BIN) policy fmt --check policies
	$(BIN) policy check policies

.PHONY: fmt
fmt: ## format Go and Rego
	$(LINT) fmt ./... cmd/devcluster
	go run ./cmd/mergegate policy fmt policies

.PHONY: golden
golden: ## write the golden files of tests anew; read the difference before you commit it
	UPDATE=1 go test ./...

.PHONY: tools
tools: bin/tools/kustomize bin/tools/conftest ## build the stock tools that benchmarks compare with, into bin/tools

bin/tools/kustomize:
	GOBIN=$(abspath bin/tools) go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1

bin/tools/conftest:
	GOBIN=$(abspath bin/tools) go install github.com/open-policy-agent/conftest@v0.71.1

# How many recorded changes of each repository are measured, and how often each.
BENCH_PAIRS ?= 2
BENCH_ROUNDS ?= 3
BENCH := BENCH_PAIRS=$(BENCH_PAIRS) BENCH_REPORT=$(abspath bin/bench.md) go test -run '^$$' -timeout 30m ./cmd/mergegate

.PHONY: bench
bench: build tools devcluster ## measure whole programs, side by side with stock tools; WRITE=1 puts the figures into docs/benchmarks.md
	@rm -f bin/bench.md
	$(BENCH) -benchtime $(BENCH_ROUNDS)x -bench '^Benchmark(Machine$(if $(MERGEGATE_CORPUS),|Plan))$$'
	@$(if $(MERGEGATE_CORPUS),,echo "no recorded repositories, so no plan is measured: name them with CORPUS=DIR")
	$(BENCH) -benchtime 1x -bench '^Benchmark(Live|Webhook|PullRequest)$$'
	@cat bin/bench.md
	$(if $(WRITE),sed -i '/^<!-- figures/q' docs/benchmarks.md && cat bin/bench.md >> docs/benchmarks.md)

.PHONY: bench-parts
bench-parts: ## measure single packages
	go test -run '^$$' -bench . -benchtime 200ms ./internal/...

SEEDS ?= 5
.PHONY: predictions
predictions: devcluster ## predict and then really apply 2,000 changes for each of SEEDS other seeds, and compare
	@for seed in $$(shuf -i 2-1000000 -n $(SEEDS)); do \
	  MERGEGATE_SEED=$$seed go test -count=1 -run TestPredictionEqualsReality -v ./internal/live | grep -E 'changes:|MERGEGATE_SEED|^(ok|FAIL|---)'; done

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME
	@for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' internal cmd | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' $$pkg/*_test.go | cut -d' ' -f2); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) ./$$pkg; done; done

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .demo
