"""Where sockets live, and who may put one there."""

import fcntl
import hashlib
import os
import pathlib
import stat
import sys

MAX_PATH = 100  # bytes; the kernel has room for 107


def runtime_directory():
    """Find, make and check the directory of the sockets. [run.1] [run.2]"""
    if given := os.environ.get("EKKO_IPC_RUNTIME_DIR"):
        directory = pathlib.Path(given)
    elif given := os.environ.get("XDG_RUNTIME_DIR"):
        directory = pathlib.Path(given, "ekko-ipc")
    elif (user := pathlib.Path(f"/run/user/{os.geteuid()}")).is_dir():
        directory = user / "ekko-ipc"
    else:
        directory = pathlib.Path.home() / ".ekko" / "run"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    # Whoever names a directory may let others look into it, not write.
    open_to_others = found.st_mode & (0o022 if "EKKO_IPC_RUNTIME_DIR" in os.environ else 0o077)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or open_to_others:
        sys.exit(f"{directory} must be a directory of yours that is closed to others")
    return directory


def socket_path(directory, name):
    """Name the socket of an address, cut to fit if it is long. [run.3] [run.4]"""
    room = MAX_PATH - len(os.fsencode(directory)) - len("/.sock")
    if len(name) > room:
        tail = "+" + hashlib.sha256(name.encode()).hexdigest()[:16]
        name = name[: room - len(tail)] + tail
    return directory / f"{name}.sock"


def take_lock(path):
    """Hold the lock of the address, or end because somebody serves it. [run.5]"""
    lock_path = f"{path}.lock"
    while True:
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{path} is served already")
        try:
            if os.path.samestat(os.fstat(lock), os.stat(lock_path)):
                os.truncate(lock, 0)
                os.write(lock, str(os.getpid()).encode())  # for people who wonder
                return lock
        except FileNotFoundError:
            pass
        os.close(lock)  # its last holder removed the file meanwhile: once more [run.6]


def release_lock(path, lock):
    os.unlink(f"{path}.lock")
    os.close(lock)
