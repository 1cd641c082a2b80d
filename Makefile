# What you need: Go and git. `make demo` shows the product, `make test` proves it, `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := bin/mergegate
# A folder of recorded GitOps repositories to compare plans with; empty where there is none.
CORPUS ?= $(wildcard ../shared/corpus)
export MERGEGATE_CORPUS := $(abspath $(CORPUS))
LINT := go tool -modfile=.ci/tools/go.mod golangci-lint

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build bin/mergegate
	@mkdir -p bin
	go build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/mergegate

.PHONY: test
test: ## run every test with the race detector, PostgreSQL included
	@echo "make test: all packages, race detector on; the first build takes some minutes"
	go test -race -timeout 20m ./...

.PHONY: demo
demo: build ## show it all on this machine, no account needed; KEEP=1 leaves the pages open, REPO= BASE= HEAD= plans your own repository
	go run ./cmd/demo --bin $(BIN) $(if $(KEEP),--keep) $(if $(REPO),--repo '$(REPO)' --base '$(BASE)' --head '$(HEAD)')

.PHONY: corpus
corpus: build ## compare plans with the recorded results of stock tools (CORPUS=DIR)
	$(if $(CORPUS),python3 $(CORPUS)/compare.py --bin $(BIN) $(CORPUS),@echo "name a corpus folder: make corpus CORPUS=DIR"; exit 2)

.PHONY: lint
lint: build ## golangci-lint, gofmt, go vet, and opa fmt and check on the policies
	$(LINT) run ./...
	go mod tidy -diff
	$(BIN) policy fmt --check policies
	$(BIN) policy check policies

.PHONY: fmt
fmt: ## format Go and Rego
	$(LINT) fmt ./...
	go run ./cmd/mergegate policy fmt policies

.PHONY: golden
golden: ## write the golden files of tests anew; read the difference before you commit it
	UPDATE=1 go test ./...

.PHONY: bench
bench: build ## measure, side by side with stock tools where they are there; docs/benchmarks.md keeps the figures
	go test -run '^$$' -bench . -benchtime 1s ./...

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME
	@for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' internal cmd | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' $$pkg/*_test.go | cut -d' ' -f2); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) ./$$pkg; done; done

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .demo
