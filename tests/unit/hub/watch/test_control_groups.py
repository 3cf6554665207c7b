"""What the kernel counts is read alike from both versions of its control groups."""

from pathlib import Path

from hub.watch.control_groups import ControlGroups, find_control_groups, mounted_controllers


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")
    return folder


def unified(folder: Path, **changes: str) -> ControlGroups:
    files = {
        "memory__current": "1000",
        "memory__max": "4000",
        "memory__stat": "anon 5\ninactive_file 300",
        "memory__events": "low 0\noom_kill 2",
        "cpu__max": "150000 100000",
        "cpu__stat": "usage_usec 2500000",
        "cgroup__procs": "",
    }
    return ControlGroups({"unified": write(folder, **{**files, **changes})})


def test_version_two_is_read(tmp_path: Path) -> None:
    """What new machines have."""
    reading = unified(tmp_path).read()
    assert reading is not None
    assert (reading.memory_bytes, reading.memory_limit_bytes, reading.oom_kills) == (700, 4000, 2)
    assert (reading.cpu_s, reading.cpus) == (2.5, 1.5)


def test_no_limit_is_none(tmp_path: Path) -> None:
    """A bar against infinity says nothing."""
    reading = unified(tmp_path, memory__max="max", cpu__max="max 100000").read()
    assert reading is not None
    assert (reading.memory_limit_bytes, reading.cpus) == (None, None)


def test_version_one_is_read(tmp_path: Path) -> None:
    """What older machines have, the processor's time apart from its limit."""
    memory = write(
        tmp_path / "memory",
        memory__usage_in_bytes="1000",
        memory__limit_in_bytes="9223372036854771712",
        memory__stat="total_inactive_file 300",
        memory__oom_control="under_oom 0\noom_kill 1",
        cgroup__procs="",
    )
    cpu = write(tmp_path / "cpu", **{"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"})
    account = write(tmp_path / "cpuacct", cpuacct__usage="2500000000")
    reading = ControlGroups({"memory": memory, "cpu": cpu, "cpuacct": account, "unified": tmp_path}).read()
    assert reading is not None
    assert (reading.memory_bytes, reading.memory_limit_bytes, reading.oom_kills) == (700, None, 1)
    assert (reading.cpu_s, reading.cpus) == (2.5, None)


def test_groups_are_found_whoever_named_them(tmp_path: Path) -> None:
    """Two drivers, one mounted controller beside another, and the mixture that Debian had."""
    text = "12:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/system.slice/docker-abc.scope"
    write(tmp_path / "7", cgroup=text)
    mounts = write(
        tmp_path, mounts="cgroup /m cgroup rw,memory 0 0\nx /c cgroup rw,cpu,cpuacct 0 0\ncgroup2 /u cgroup2 rw 0 0"
    )
    found = find_control_groups(7, mounted_controllers(mounts / "mounts"), tmp_path)
    assert found is not None
    assert found.folders == {
        "memory": Path("/m/docker/abc"),
        "cpu": Path("/c/docker/abc"),
        "cpuacct": Path("/c/docker/abc"),
        "unified": Path("/u/system.slice/docker-abc.scope"),
    }


def test_a_container_that_is_gone_is_nothing(tmp_path: Path) -> None:
    """It may end between two looks."""
    assert find_control_groups(999_999_999, {}) is None
    assert ControlGroups({"unified": tmp_path / "gone"}).read() is None
