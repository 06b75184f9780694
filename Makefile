# Every target installs what the machine lacks, says what, and asks nothing.
#   make demo    watch it work: a throwaway database, a hung connection, nothing lost. ARGS="…" goes to "headwater demo"
#   make test    formatting, lints and all tests, against real servers on loopback; stops what it started
#   make check   the same without servers and tests: formatting, lints, house rules
#   make bench   speed: each stage, then the whole with a backlog of a million rows. DEBEZIUM=1: Debezium beside it
#   make crash   the crash campaign: killed a hundred times, nothing lost
#   make faults  the fault campaign: everything around it fails, a thousand times, and once beside Debezium; the tables go to docs/reliability.md. ARGS=side_by_side, quiet or everything for one of them
#   make parity  beside the real Debezium: the same traffic, everything that lands compared, and the numbers on /metrics. SCENARIOS=folder for your own, RECORD=1
#   make dist    the published binary, in dist/
#   make docker  the container image, headwater:latest
#   make clean   removes what was built (not the test servers: tests/stack/stack.sh)
.PHONY: help demo test check bench crash faults parity dist docker clean
help:
	@sed -n 's/^#   //p' Makefile
demo:
	@scripts/demo.sh $(ARGS)
test:
	@scripts/test.sh $(ARGS)
check:
	@scripts/check.sh
bench:
	@scripts/bench.sh $(ARGS)
crash:
	@scripts/crash.sh $(ARGS)
faults:
	@scripts/faults.sh $(ARGS)
parity:
	@SCENARIOS="$(SCENARIOS)" ONLY="$(ONLY)" RECORD="$(RECORD)" scripts/parity.sh $(ARGS)
dist:
	@scripts/dist.sh
docker:
	docker build --build-arg HEADWATER_COMMIT=$$(git rev-parse HEAD 2>/dev/null || echo unknown) -f docker/Dockerfile -t headwater:latest .
clean:
	rm -rf target dist fuzz/target
