# What can be done here. `make` alone says so too.

BUILD    := .build
FUZZTIME ?= 10m
CALLS    ?= 500000
EVENTS   ?= 10000000
KEPT     ?= 1000000
CUTS     ?= 50
BENCH    ?= full
OVERLOAD ?= 1m
STOP     ?= 10s
STALLED  ?= 1000
STALL    ?= 1m
RESTART  ?= 1000000
KILLS    ?= 1000
BENCHPEERS := raw ipc grpc connect drpc jsonrpc nats natsmicro dbus mqtt
SOURCES   = $(shell find internal/tools -name '*.go' -o -path 'internal/tools/go.*')

# In a container git may refuse to read somebody else's clone, and then the go
# command refuses to build: better no version in the binary than no binary.
export GOFLAGS := $(GOFLAGS) $(shell git status >/dev/null 2>&1 || echo -buildvcs=false)

# Without a target: say what there is.
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## build the binary and show what it does (needs Go only)
	@exec $(BUILD)/ekko-ipc demo

build: ## build the binary into .build/ekko-ipc
	@go build -o $(BUILD)/ekko-ipc ./cmd/ekko-ipc

test: $(BUILD)/check ## check everything, installing what that needs; a quarter of an hour at most
	@exec $(BUILD)/check

test-js: $(BUILD)/check ## the tests of the npm package in js/, in Node, Bun, Deno and the embedded runtime, fetched from npm (needs Go, Node and npm)
	@exec $(BUILD)/check -runtimes npm js

test-windows: $(BUILD)/check ## run tests, the tool and Node as Windows programs under Wine, installing that
	@exec $(BUILD)/check windows

test-transports: $(BUILD)/check ## show which facts are true of which transport; Windows pipes too where Wine is installed
	@exec $(BUILD)/check transports

lint: $(BUILD)/check ## only the checks that run nothing of ours
	@exec $(BUILD)/check lint

fuzz: $(BUILD)/check ## FUZZTIME=10m for each fuzz target; FUZZ=Name for some of them
	@exec $(BUILD)/check -fuzztime $(FUZZTIME) -fuzz '$(FUZZ)' fuzz

torture: ## kill, stop and cut off services under CALLS calls, EVENTS events and KEPT kept ones, cut the power CUTS times (as root), and check what is promised; SEED=n for certain faults
	@go build -o $(BUILD)/torture ./internal/torture/run
	@$(BUILD)/torture -calls $(CALLS) -plain $(EVENTS) -messages $(KEPT) $(if $(SEED),-seed $(SEED))
	@go test -count=1 -timeout 30m -run TestPowerCutsOfARealFileSystem -v ./store/disk -cuts $(CUTS) $(if $(SEED),-cutseed $(SEED))

bench: build $(BUILD)/check ## measure against the peers, into bench/results.json and docs/bench.svg; BENCH=quick for a first look, BENCHFLAGS='-mode events' for a part
	@$(BUILD)/check -bench
	@go build -C bench -o ../$(BUILD)/bench .
	@for peer in $(BENCHPEERS); do go build -C bench -tags solo,$$peer -o ../$(BUILD)/bench-peers/$$peer . || exit; done
	@exec $(BUILD)/bench -programs $(BUILD)/bench-peers -disk $(BUILD) -out bench/results.json -plot docs/bench.svg -binary $(BUILD)/ekko-ipc $(if $(filter quick,$(BENCH)),-quick) $(BENCHFLAGS)

bench-js: build ## measure the npm package beside its peers, in Node 20 and 24, into js/bench/results.json and docs/javascript.md; BENCH=quick for a first look, BENCHFLAGS='--peers echo' for a part
	@for dir in bench/node js/bench/peers; do test $$dir/node_modules/.package-lock.json -nt $$dir/package-lock.json || (cd $$dir && npm ci --no-audit --no-fund --ignore-scripts) || exit; done
	@for peer in grpc nats; do go build -C bench -tags solo,$$peer -o ../$(BUILD)/bench-peers/$$peer . || exit; done
	@go build -o $(BUILD)/bench-js-service ./js/bench/service
	@exec node js/bench/bench.js $(if $(BENCHFLAGS)$(filter quick,$(BENCH)),$(BENCHFLAGS) $(if $(filter quick,$(BENCH)),--quick),--out js/bench/results.json --docs docs/javascript.md)

overload: ## overload a service for OVERLOAD=1m and show what it makes of that
	@go test -tags overload -count=1 -timeout 30m -run TestL9_OverloadForReal -overload $(OVERLOAD) -v .

freeze: ## stop a service for STOP=10s with calls under way: they are answered when it goes on
	@go test -count=1 -timeout 30m -run TestAServiceStandsStill -stop $(STOP) -v .

stalled: ## STALLED=1000 subscribers of a service that read nothing for STALL=1m: what it costs, and who notices; AGAIN=1 for those that come back when they are cut off
	@go test -tags stalled -count=1 -timeout 30m -run TestR1_StalledForReal -v . -stalled $(STALLED) -stalledfor $(STALL) $(if $(AGAIN),-stalledagain)

storm: ## kill services and clients of every local transport, KILLS=1000 of each, and look at what is left; SEED=n for certain moments
	@go test -count=1 -timeout 30m -run TestKillStorm -v . -kills $(KILLS) $(if $(SEED),-stormseed $(SEED))

restart: ## start a service on RESTART=1000000 kept messages, and show how soon it is ready and in how much memory
	@go test -count=1 -timeout 30m -run TestARestartWithMuchThatIsKept -restart $(RESTART) -v .

cover: ## show the test coverage, and write it to .build/cover.html
	@mkdir -p $(BUILD)
	go test -coverpkg=./... -coverprofile=$(BUILD)/cover.out ./...
	@go tool cover -html=$(BUILD)/cover.out -o $(BUILD)/cover.html
	@go tool cover -func=$(BUILD)/cover.out | tail -n 1

clean: ## remove what was built
	rm -rf $(BUILD)

$(BUILD)/check: $(SOURCES)
	@go build -C internal/tools -o ../../$@ ./check

.PHONY: help demo build test test-js test-windows test-transports lint fuzz torture bench bench-js overload freeze stalled storm restart cover clean
