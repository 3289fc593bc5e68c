# siteward as a container: Node.js, the daemon's source, fping and nmap. Nothing is built.
FROM node:24.21.0-bookworm-slim

# libcap2-bin only to give fping its one right; tini reaps the children of a scan that was cut off.
RUN apt-get update \
 && apt-get install -y --no-install-recommends fping nmap iputils-ping ca-certificates libcap2-bin tini \
 && setcap cap_net_raw+ep /usr/bin/fping \
 && apt-get purge -y libcap2-bin && apt-get autoremove -y \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/siteward
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node.js, so the packages that carry one for `npm ci` on older machines stay out.
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

COPY config ./config
COPY collectors ./collectors
COPY daemon ./daemon
COPY dashboards ./dashboards
COPY scripts/siteward ./scripts/siteward
COPY scripts/typeless ./scripts/typeless
RUN ln -s /opt/siteward/scripts/siteward /usr/local/bin/siteward \
 && useradd --system --uid 9720 --home-dir /var/lib/siteward --create-home siteward

# Fills the cache that starts read from, which is read-only afterwards.
RUN timeout 20 siteward demo; test -d /opt/siteward/node_modules/.cache/siteward

USER siteward
VOLUME /var/lib/siteward
EXPOSE 9720
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9720/-/healthy').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "siteward"]
CMD ["run", "--config", "/etc/siteward/siteward.yaml"]
