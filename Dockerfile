# Insula in a container: `migrate`, `serve` and `worker` are commands of one image.
#
#   docker build --tag insula .
#   docker run --rm insula version
#
# What is installed comes from requirements/*.txt, locked with hashes. The tests run on this Python.
ARG PYTHON=3.11-slim-bookworm

# --- fonts and icons, which npm fetches as its lock file says
FROM python:${PYTHON} AS assets
WORKDIR /build
COPY requirements/run.txt requirements/run.txt
RUN python -m venv venv \
 && venv/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements/run.txt
COPY insula insula
RUN venv/bin/python -m insula.ui.build

# --- packages, in an environment that has no pip of its own
FROM python:${PYTHON} AS packages
COPY requirements/base.txt /tmp/base.txt
RUN python -m venv --without-pip /opt/insula/venv \
 && python -m pip --python /opt/insula/venv/bin/python install \
    --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /tmp/base.txt

# --- what runs: Python, the packages, our code; nothing that builds or installs
FROM python:${PYTHON}
RUN python -m pip uninstall --yes pip setuptools wheel \
 && groupadd --gid 10001 insula \
 && useradd --uid 10001 --gid insula --no-create-home --home-dir /nonexistent \
    --shell /usr/sbin/nologin insula
WORKDIR /opt/insula
COPY --from=packages /opt/insula/venv venv
COPY sql sql
COPY insula insula
COPY --from=assets /build/insula/ui/static/vendor insula/ui/static/vendor
ENV PATH=/opt/insula/venv/bin:/usr/local/bin:/usr/bin:/bin
ENV PYTHONPATH=/opt/insula
ENV PYTHONUNBUFFERED=1
ENV PYTHONDONTWRITEBYTECODE=1
ENV INSULA_HOST=0.0.0.0
RUN python -m compileall -q insula venv
# All files are root's: the process reads them, and writes nowhere but to /tmp.
USER 10001:10001
# 8001 is for probes and metrics where INSULA_OPS_PORT or INSULA_WORKER_PORT says so
EXPOSE 8000 8001
ENTRYPOINT ["python", "-m", "insula.platform.cli"]
CMD ["serve"]
