FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p mortise

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/mortise --create-home mortise
COPY --from=build /src/target/release/mortise /usr/local/bin/mortise
USER mortise
WORKDIR /var/lib/mortise
ENV MORTISE_LISTEN=0.0.0.0:8080 MORTISE_KEY_FILE=/run/keys/mortise-keys.json MORTISE_SPILL_DIR=/var/lib/mortise/spill
EXPOSE 8080
ENTRYPOINT ["mortise"]
