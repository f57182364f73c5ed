"""Most VapourSynth users sit at Windows and macOS: what only POSIX or Linux has is not needed to import vsanon."""

import subprocess
import sys

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
"""Of the standard library; Windows has none of them."""
NAMES = {
    "os": (
        "chown fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid getuid killpg mkfifo "
        "nice openpty posix_fadvise posix_fallocate pread pwrite sched_getaffinity sched_setaffinity setsid "
        "statvfs sysconf uname wait4 waitid O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK"
    ),
    "signal": (
        "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIGXFSZ alarm setitimer"
    ),
    "time": "tzset clock_gettime",
}
"""Of modules that Windows has, too: what it lacks of them."""

IMPORT_ALL = f"""
import importlib, os, pkgutil, signal, subprocess, sys, time
import vsanon

def all_of_it():
    return [importlib.import_module(m.name) for m in pkgutil.walk_packages(vsanon.__path__, "vsanon.")
            if m.name != "vsanon.__main__"]

before = len(all_of_it())  # other packages are imported by now, and are not looked at
for name in [n for n in sys.modules if n.partition(".")[0] == "vsanon"]:
    del sys.modules[name]
for name in {MODULES!r}:
    sys.modules[name] = None  # "import" then raises ImportError
for module, names in {NAMES!r}.items():
    for name in names.split():
        vars(sys.modules[module]).pop(name, None)
sys.platform = "win32"
subprocess.CREATE_NEW_PROCESS_GROUP = 0x200  # Windows has it, and may be asked for it
import vsanon
assert len(all_of_it()) == before
print(before)
"""


def test_every_module_is_imported_where_posix_is_absent() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150
