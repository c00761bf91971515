"""The work, its results and the list of jobs."""

from __future__ import annotations

from heygem.errors.base import HeyGemError


class OutputError(HeyGemError):
    code = "output.failed"
    template = "The result cannot be written to “{name}”: {reason}."
    remedy = "Check that the folder exists, may be written to, and that the disk has room."


class EngineUnavailable(HeyGemError):
    code = "engine.unavailable"
    template = "{engine} cannot be used: {reason}."
    remedy = "Run “heygem doctor” to see what is missing, or choose another engine or device."


class ToolMissing(HeyGemError):
    code = "tool.missing"
    template = "{tool} is not installed."
    remedy = "Run “pip install -r requirements.txt” in the environment of HeyGem."


class WorkerDied(HeyGemError):
    code = "job.crashed"
    template = "The process that did the work ended unexpectedly ({reason})."
    remedy = "Start it again; if that does not help, use a smaller or shorter video. SIGKILL: mostly too little memory."


class OutOfMemory(HeyGemError):
    code = "job.out_of_memory"
    template = "The work ran out of graphics memory, even with one frame at a time."
    remedy = "Wait until other programs on the graphics card are done, use a smaller video, or choose the device cpu."


class Stalled(HeyGemError):
    code = "job.stalled"
    template = "The work gave no sign of life for {seconds} s in the stage “{stage}” and was ended."
    remedy = "Start it again; if it stops at the same place, send the file to the administrator."


class TimedOut(HeyGemError):
    code = "job.timeout"
    template = "The work took longer than the {minutes} minutes that this server allows for one job."
    remedy = "Cut the recording into shorter ones, or let the administrator raise HEYGEM_JOB_MINUTES."


class Interrupted(HeyGemError):
    code = "job.interrupted"
    template = "The work was ended from outside {times} times, so it is not begun again."
    remedy = "Retry it once the server runs quietly; if it ends again, the administrator finds more in the log."


class JobMissing(HeyGemError):
    code = "job.missing"
    template = "There is no job or batch “{id}”."
    remedy = "It may have been removed; look into the history."


class JobState(HeyGemError):
    code = "job.state"
    template = "The job is {state}, so this cannot be done."
    remedy = "Look at its present state, then choose again."


class DiskLow(HeyGemError):
    code = "disk.low"
    template = "The disk of the results has only {free} MB left; new work needs {floor} MB."
    remedy = "Remove results that nobody needs, or let the administrator make room."


class QueueFull(HeyGemError):
    code = "queue.full"
    template = "{waiting} jobs wait already; this server lets at most {most} wait."
    remedy = "Try again in a few minutes, or let the administrator raise HEYGEM_MAX_QUEUED."


class ResultGone(HeyGemError):
    code = "result.gone"
    template = "The result “{name}” is no longer on the disk."
    remedy = "Run the job again; results are removed after a time, or by hand."


class StoreBusy(HeyGemError):
    code = "store.busy"
    template = "The list of jobs is held by another process; nothing was changed."
    remedy = "Try again in a moment; if it stays so, end the program that has opened jobs.sqlite3."


class StoreInUse(HeyGemError):
    code = "store.in_use"
    template = "Another HeyGem (process {process}) already serves the list of jobs “{name}”."
    remedy = "Use that one, stop it first, or give this one its own folder with HEYGEM_HOME."


class StoreUnusable(HeyGemError):
    code = "store.unusable"
    template = "The list of jobs cannot be used: {reason}."
    remedy = "Check the disk and the rights of HEYGEM_HOME; a damaged jobs.sqlite3 can be moved away, results stay."


class Cancelled(HeyGemError):
    code = "job.cancelled"
    template = "Stopped on request."
    remedy = "Nothing was kept; start it again at any time."
