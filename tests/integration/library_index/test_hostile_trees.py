"""Whatever people put into their folders, the index goes on, and shows nobody else's files."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from libms.index import scan, watch
from tests.support.indexed import Library, soon


def test_links_lead_nowhere(library: Library) -> None:
    """A link to somebody else's folder must not make their names or texts searchable."""
    library.write("bob/models/secret/README.md", "# Confidential turbine")
    (library.files / "alice/models/link").symlink_to(library.files / "bob/models/secret")
    (library.files / "alice/models/mine").mkdir()
    (library.files / "alice/models/mine/README.md").symlink_to(library.files / "bob/models/secret/README.md")
    (library.files / "alice/tools").rmdir()
    (library.files / "alice/tools").symlink_to("../bob/models")
    library.start()
    assert library.found("turbine", "alice") == []
    assert library.found("secret", "alice", inside=True) == []
    assert library.found("turbine", "bob") == ["bob/models/secret"]


def test_pipes_sockets_and_devices_are_named_and_never_opened(library: Library) -> None:
    """A pipe without a writer blocks whoever opens it for ever."""
    folder = library.files / "alice/models/odd"
    folder.mkdir()
    os.mkfifo(folder / "README.md")
    os.mkfifo(library.files / "alice/models/pipe.fmu")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "asset.yaml"))
        library.start()
    assert library.found("odd") == ["alice/models/odd"]
    assert library.found("pipe") == ["alice/models/pipe.fmu"]


def test_names_that_are_not_utf8_are_counted_and_left_out(library: Library) -> None:
    """They come with old archives; no address can hold them."""
    base = os.fsencode(library.files / "alice/data")
    Path(os.fsdecode(base + b"/caf\xe9.csv")).write_bytes(b"12345")
    Path(os.fsdecode(base + b"/d\xff\xff/inner")).mkdir(parents=True)
    Path(os.fsdecode(base + b"/d\xff\xff/inner/file")).write_bytes(b"123")
    library.write("alice/data/café.csv", "1")
    library.start()
    assert library.found("", "alice") == ["alice/data/café.csv"]
    assert library.found("inner", inside=True) == []
    assert library.index.usage("alice") == 9


def test_ten_thousand_folders_deep(library: Library) -> None:
    """A path longer than the kernel's limit can still be made, one step at a time."""
    library.write("bob/data/fine.csv")
    subprocess.run(
        [sys.executable, "-c", "import os\nfor _ in range(10000):\n os.mkdir('dd'); os.chdir('dd')"],
        cwd=library.files / "alice/data",
        check=True,
    )
    library.start()
    assert library.found("fine") == ["bob/data/fine.csv"]
    assert 1000 < len(library.found("dd", inside=True)) < 2000
    library.shell("rm -r alice/data/dd")
    soon(lambda: library.found("dd") == [])


def test_hidden_folders_and_those_outside_the_categories_only_count(library: Library) -> None:
    """A clone's `.git` has thousands of files that nobody looks for."""
    library.write("alice/models/m/.git/objects/ab/cdef", "12")
    library.write("alice/notes/todo.txt", "345")
    library.write("alice/models/.hidden", "6")
    library.start()
    assert library.found("", "alice") == ["alice/models/m"]
    assert library.found("cdef", inside=True) == library.found("todo", inside=True) == []
    assert library.index.usage("alice") == 6
    library.write("alice/notes/more.txt", "789")
    library.changed("alice/notes/more.txt")
    soon(lambda: library.index.usage("alice") == 9)


def test_the_place_where_workspaces_see_common_is_nobodys(library: Library) -> None:
    """`common` would count, and be found, once more for each person."""
    library.write("alice/common/data/shared.csv", "123")
    library.write("common/data/shared.csv", "123")
    library.start()
    assert library.found("shared") == ["common/data/shared.csv"]
    assert library.index.usage("alice") == 0


def test_folders_that_vanish_and_swap_during_the_scan(library: Library) -> None:
    """A build directory is made and deleted over and over while all is compared."""
    library.write("bob/data/fine.csv")
    script = (
        "import os,shutil\nwhile True:\n for i in range(20):\n  os.makedirs(f'x{i}/y/z',exist_ok=True); open(f'x{i}/y/README.md','w').write('# a')\n"
        " for i in range(0,20,2): os.rename(f'x{i}',f'x{i}.old'); os.symlink('/etc',f'x{i}')\n"
        " for i in range(0,20,2): os.unlink(f'x{i}'); shutil.rmtree(f'x{i}.old')\n for i in range(1,20,2): shutil.rmtree(f'x{i}')"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=library.files / "alice/data") as churn:
        try:
            library.start()
            begun = time.monotonic()
            soon(lambda: time.monotonic() - begun > 3, 5)
            library.shell("touch bob/data/after.csv")
            soon(lambda: library.found("after"))
            assert library.found("passwd", inside=True) == []
        finally:
            churn.kill()
    library.shell("rm -rf alice/data/*")
    soon(lambda: library.found("", "alice") == [])
    soon(lambda: library.index.usage("alice") == 0)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can close a folder to this test and look in as another account")
def test_folders_closed_to_the_service_are_shown_without_their_content(library: Library) -> None:
    """sudo in a workspace makes folders of root with mode 0700; the rest must still be found."""
    library.write("alice/models/closed/README.md", "# Inner")
    library.write("alice/models/open.fmu")
    (library.files / "alice/models/closed").chmod(0o700)
    script = (
        "import os,sys; os.setgid(65534); os.setuid(65534)\n"
        "from pathlib import Path\nfrom libms.index import *\nfrom libms.disk.storage import *\n"
        "b=Path(sys.argv[1]); i=Index(Path(sys.argv[2])/'i.sqlite')\n"
        "n=Indexer(DiskBackend(Folders(b/'files',b/'s',b/'t'),trash_days=1,make_owner=print),i,b/'files'); n.start()\n"
        "assert n.wait_until_ready(20)\n"
        "print(*[h.path for h in i.search(Query(None)).hits]); sys.stdout.flush(); sys.stdin.readline()\n"
        "import time\nend=time.monotonic()+2\n"
        "while not i.search(Query(None,text='inner')).hits: assert time.monotonic()<end; time.sleep(.02)\n"
        "print('opened'); n.stop()"
    )
    state = library.base / "nobody"
    state.mkdir()
    os.chown(state, 65534, 65534)
    for folder in (library.base, *library.base.parents):
        if folder.stat().st_mode & 0o077 == 0:  # where pytest keeps temporary files
            folder.chmod(0o755)
    command = [sys.executable, "-c", script, str(library.base), str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline().split() == ["alice/models/closed", "alice/models/open.fmu"]
        (library.files / "alice/models/closed").chmod(0o755)
        said, _ = other.communicate("\n", timeout=20)
    assert said == "opened\n"


def test_a_kernel_without_watches_left_is_made_up_for_by_looking(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """fs.inotify.max_user_watches is 8,192 on many hosts."""
    monkeypatch.setattr(watch, "MOST_OF_ONE_QUEUE", 10)
    library.start()
    library.shell("mkdir -p alice/data/f{0..49}/g && touch alice/data/f49/g/early")
    soon(lambda: library.found("early", inside=True))
    library.shell("touch alice/data/f{0..49}/g/late")
    took = soon(lambda: len(library.found("late", inside=True)) == 50)
    print(f"without watches it took {took:.2f} s")
    assert caplog.text.count("too many to watch") == 1


FEW_WATCHES = """
import logging, sys, time
from pathlib import Path
Path("/proc/sys/user/max_inotify_watches").write_text("10")
from libms.index import Index, Indexer, Query
from libms.disk.storage import DiskBackend, Folders
logging.basicConfig(stream=sys.stdout)
base = Path(sys.argv[1])
index = Index(base / "few.sqlite")
backend = DiskBackend(Folders(base / "files", base / "s", base / "t"), trash_days=1, make_owner=print)
indexer = Indexer(backend, index, base / "files")
indexer.start()
assert indexer.wait_until_ready(20)
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + 2
while len(index.search(Query(None, text="late", inside=True, first=100)).hits) < 50:
    assert time.monotonic() < end
    time.sleep(0.02)
indexer.stop()
print("found")
"""


def test_the_kernels_own_refusal_is_told_once_and_made_up_for(library: Library) -> None:
    """The limit is shared with whatever else the account runs; the operator must learn what to raise."""
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", FEW_WATCHES, str(library.base)]
    if subprocess.run([*command[:3], "true"], check=False).returncode != 0:
        pytest.skip("no user namespaces here")
    library.shell("mkdir -p alice/data/f{0..49}/g")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        log = [other.stdout.readline() for _ in range(2)]
        library.shell("touch alice/data/f{0..49}/g/late")
        said, _ = other.communicate("\n", timeout=20)
    assert "raise fs.inotify.max_user_watches" in log[0]
    assert [log[1], said] == ["ready\n", "found\n"]


def test_more_names_in_a_folder_than_are_kept_still_count(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody with a million files in one folder may not take the service's memory."""
    monkeypatch.setattr(scan, "MOST_NAMES", 100)
    library.python("for i in range(500): open(f'alice/data/{i}','w').write('x')")
    library.start()
    assert len(library.found("", "alice")) == 100
    assert library.index.usage("alice") == 500


def test_stopping_ends_the_thread_and_gives_back_its_descriptors(library: Library) -> None:
    """A service that restarts its parts must not run out of them."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        library.start()
        library.stop()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert not any(thread.name == "libms-index" for thread in threading.enumerate())
