"""What a process gives up before it reads a stranger's file: after this it can compute, and write to what is open.

Where the kernel is Linux on x86-64 or ARM64, a filter of system calls holds: no file can be opened, nothing can be
connected to, no process can be started, nobody can be signalled. Everywhere there are limits of memory, processor time,
size of files and number of processes, as far as the system knows them.
"""

from __future__ import annotations

import ctypes
import platform
import signal
import struct
import sys

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_MODE_FILTER = 2
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # _DENY: the call fails with EPERM
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # of the filter: load a word, jump if equal, return
_CALLS = {
    # read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 pwrite64
    # sched_yield mremap madvise getpid exit ftruncate gettimeofday sigaltstack gettid futex clock_gettime exit_group
    # newfstatat getrandom rseq
    "x86_64": (0xC000003E, "0 1 3 5 8 9 10 11 12 13 14 15 17 18 24 25 28 39 60 77 96 131 186 202 228 231 262 318 334"),
    "aarch64": (
        0xC00000B7,
        "63 64 57 80 62 222 226 215 214 134 135 139 67 68 124 216 233 172 93 46 169 132 178 98 113 94 79 278 293",
    ),
}
"""Machine -> its number for the kernel, and the numbers of the system calls that remain."""


def lock(memory: int, seconds: int, largest: int) -> bool:
    """Gives up all but ``memory`` bytes more than now, ``seconds`` of the processor and files of ``largest`` bytes.

    True where the filter of system calls holds. Everything that is needed later must be imported and open by now.
    """
    _limit(memory, seconds, largest)
    return sys.platform == "linux" and _filter()


def _limit(memory: int, seconds: int, largest: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    used = _address_space()
    limits = {"AS": used + memory, "CPU": seconds, "FSIZE": largest, "CORE": 0, "NPROC": 0, "NOFILE": 16}
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            _, hard = resource.getrlimit(kind)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (value, value))


def _address_space() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  one import less under the filter
            return int(file.read().split()[0]) * 4096
    except OSError:
        return 1 << 30


def _filter() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or platform.machine() not in _CALLS:
        return False
    machine, numbers = _CALLS[platform.machine()]
    calls = list(map(int, numbers.split()))
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    steps += [(_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _DENY), (_RETURN, 0, 0, _ALLOW)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    header = struct.pack("@HP", len(steps), ctypes.addressof(program))
    return libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.create_string_buffer(header), 0, 0) == 0
