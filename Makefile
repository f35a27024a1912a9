.PHONY: run test bench lint

run:
	cargo run -- dev

test:
	scripts/test

bench:
	scripts/bench

lint:
	scripts/lint
