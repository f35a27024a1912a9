.PHONY: run test soak bench lint mutants

run:
	cargo run -- dev

test:
	scripts/test

soak:
	scripts/soak

bench:
	scripts/bench

lint:
	scripts/lint

mutants:
	scripts/mutants
