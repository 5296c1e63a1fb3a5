# A worker of a project: build it in the folder that holds scythe.config.ts and package.json.
#
#   docker build -f node_modules/scythe-ts/docker/worker.Dockerfile -t my-study-worker .
#
# Programs that your experiments call (EnergyPlus, GDAL, …) go into an image of your own, FROM this one.
#
# The base is pinned by digest; for a newer one: --build-arg NODE_IMAGE=node:22-bookworm-slim@sha256:…, as
# `docker buildx imagetools inspect node:22-bookworm-slim` says it.
ARG NODE_IMAGE=node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c
FROM ${NODE_IMAGE} AS packages
WORKDIR /study
COPY package.json package-lock.json* ./
RUN npm ci --omit=dev || npm install --omit=dev

FROM ${NODE_IMAGE}
# tini ends what a spec leaves behind, and passes SIGTERM on: a Spot instance gives two minutes
RUN apt-get update && apt-get install -y --no-install-recommends tini ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /study
COPY --from=packages /study/node_modules ./node_modules
COPY . .
RUN chown -R node:node /study
USER node
ENV NODE_ENV=production
EXPOSE 8001
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s \
  CMD node -e "fetch('http://127.0.0.1:8001/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
ENTRYPOINT ["tini", "--"]
CMD ["node_modules/.bin/scythe", "worker", "--health-port", "8001", "--health-host", "0.0.0.0"]
