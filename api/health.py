"""For those who watch the server: is it well, and how much does it do. Neither says anything of whose work it is."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse

from api.desk import At, Desk
from heygem import __version__
from heygem.errors import HeyGemError
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.folder import free_bytes
from heygem.jobs.job import DELIVERY_STATES, STATES

router = APIRouter(tags=["operation"])
BUCKETS = (5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds."""


@router.get("/health", responses={503: {"description": "the list of jobs does not answer"}})
def health(desk: At) -> Response:
    """200 while jobs can be taken in and looked up."""
    try:
        counts, held = desk.queue.store.counts(), desk.queue.held()
    except HeyGemError as error:
        return JSONResponse({"status": "failing", "version": __version__, "code": error.code}, 503)
    hands = desk.fleet.workers()
    workers = {"all": len(hands), "busy": sum(hand.job is not None for hand in hands)}
    queue = {"queued": counts.get("queued", 0), "running": counts.get("running", 0), "held": held}
    return JSONResponse({"status": "ok", "version": __version__, "workers": workers, "queue": queue})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(desk: At) -> Response:
    """In the format of Prometheus. All is read from the table of jobs, so a restart loses nothing."""
    registry = CollectorRegistry()
    registry.register(_Figures(desk))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Figures(Collector):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> list[Metric]:
        """Nothing is asked before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        queue, hands = self._desk.queue, self._desk.fleet.workers()
        counts = queue.store.counts()
        jobs = GaugeMetricFamily("heygem_jobs", "Jobs in the list by state.", labels=["state"])
        for state in STATES:
            jobs.add_metric([state], counts.get(state, 0))
        yield jobs
        sent = Deliveries(queue.store).counts()
        deliveries = GaugeMetricFamily("heygem_deliveries", "Results for the storage by state.", labels=["state"])
        for state in DELIVERY_STATES:
            deliveries.add_metric([state], sent.get(state, 0))
        yield deliveries
        busy = sum(hand.job is not None for hand in hands)
        yield GaugeMetricFamily("heygem_workers", "Workers.", len(hands))
        yield GaugeMetricFamily("heygem_workers_busy", "Workers that work.", busy)
        yield GaugeMetricFamily("heygem_queue_held", "1 while no job may begin.", int(queue.held() is not None))
        free = free_bytes(queue.outputs)
        yield GaugeMetricFamily("heygem_disk_free_bytes", "Room on the disk of the results.", free)
        yield _histogram(queue.store.durations())


def _histogram(seconds: list[float]) -> HistogramMetricFamily:
    buckets = [(str(float(most)), sum(one <= most for one in seconds)) for most in BUCKETS]
    taken = HistogramMetricFamily("heygem_job_seconds", "Seconds from begin to end of the finished jobs in the list.")
    taken.add_metric([], [*buckets, ("+Inf", len(seconds))], sum(seconds))
    return taken
