"""A job for processes of their own, which import no torch for it and so start quickly."""

from __future__ import annotations

import os
import time

from napari_revsam2.evaluation.experiment.job import Job, JobResult
from napari_revsam2.evaluation.experiment.result_rows import ResultRow


def slow_job(job: Job) -> JobResult:
    """A job that takes its time, and says in which process it ran."""
    time.sleep(0.2)
    setting = job.settings[0]
    row = ResultRow(
        *job.row_key(setting)[:3], job.class_name, job.group, job.query.name,
        setting.mode, setting.n_support, setting.top_k, 1.0, 1.0, 1.0, 1.0, 1.0, float(os.getpid()),
    )  # fmt: skip
    return JobResult(job, (row,), (), None)
