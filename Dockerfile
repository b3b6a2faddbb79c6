# Builds the exporter's image for the platform that it runs on: one static program and the certificates that it trusts.
#
#   docker build --build-arg REVISION="$(git rev-parse --short HEAD)" --tag twilio-email-exporter .
#   docker buildx build --platform linux/amd64,linux/arm64 --tag REGISTRY/twilio-email-exporter:VERSION --push .
#
# For another platform buildx emulates a processor, which takes long; releases build each platform on a machine of its own.

FROM docker.io/library/rust:1.95-slim-trixie AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY src src
ARG REVISION=
# Static, with libc's own resolver: nothing of the final image is needed to run it. Its relocations are packed, which makes it smaller.
ENV RUSTFLAGS='-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs' TWILIO_EMAIL_REVISION=$REVISION
# The target is named, or procedural macros would be linked statically, too, which the compiler cannot load.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    target="$(rustc --print host-tuple)" \
    && cargo build --release --locked --bin twilio-email-exporter --target "$target" \
    && install -D "target/$target/release/twilio-email-exporter" /image/usr/bin/twilio-email-exporter
RUN install -d -m 0755 /data /image/etc/ssl/certs \
    && printf 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >/image/etc/passwd \
    && printf 'nonroot:x:65532:\n' >/image/etc/group \
    && printf 'hosts: files dns\n' >/image/etc/nsswitch.conf \
    && install -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title='twilio-email-exporter' \
      org.opencontainers.image.description='Prometheus exporter for Twilio Email' \
      org.opencontainers.image.source='https://github.com/twilio-email-exporter/twilio-email-exporter' \
      org.opencontainers.image.url='https://github.com/twilio-email-exporter/twilio-email-exporter' \
      org.opencontainers.image.documentation='https://github.com/twilio-email-exporter/twilio-email-exporter/blob/main/docs/install.md' \
      org.opencontainers.image.licenses='Apache-2.0' \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.created=$CREATED
COPY --from=build /image /
# The counters' directory belongs to the user who runs the exporter. A named volume inherits that.
COPY --from=build --chown=65532:65532 /data /data
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
ENV TWILIO_EMAIL_STORAGE_PATH=/data
VOLUME /data
EXPOSE 10202
# Asks for /-/ready. The exporter is ready after its first collection, which takes a minute at most; within that time a failure does not count.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["/usr/bin/twilio-email-exporter", "health"]
ENTRYPOINT ["/usr/bin/twilio-email-exporter"]
