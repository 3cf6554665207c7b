"""What other processes change shows up within 2 s."""

import subprocess
import sys
import time

import pytest

from tests.support.indexed import Library, soon, true_usage

CARD = "---\\ntitle: Mass and spring\\ntags: [mechanics]\\n---\\n# Mass\\nA damped oscillator."


def test_a_file_written_in_a_workspace_is_found(followed: Library) -> None:
    """An engineer saves a result and looks for it on the page."""
    followed.shell("echo 1,2 > alice/data/run7.csv")
    soon(lambda: followed.found("run7") == ["alice/data/run7.csv"])
    soon(lambda: followed.index.usage("alice") == 4)


def test_a_new_tree_is_found_down_to_its_leaves(followed: Library) -> None:
    """A folder made, filled and renamed at once: nothing falls between watching and reading."""
    followed.shell("mkdir -p w/{a,b,c}/{d,e}/f && touch w/{a,b,c}/{d,e}/f/leaf.txt && mv w bob/models/tree")
    soon(lambda: len(followed.found("leaf", inside=True)) == 6)
    assert followed.found("tree") == ["bob/models/tree"]


def test_folders_made_one_by_one_are_not_lost(followed: Library) -> None:
    """mkdir -p races with the watch of each level."""
    followed.python(
        "import os\nfor i in range(300):\n p=f'alice/data/s{i}/deep/er'\n os.makedirs(p)\n open(p+'/end.txt','w').close()"
    )
    soon(lambda: len(followed.found("end", inside=True)) == 300)
    assert len(followed.found("deep", inside=True)) == 300


def test_a_readme_changed_in_place_changes_what_is_found(followed: Library) -> None:
    """Editors that write in place change no folder, only a file in one."""
    followed.shell(f"mkdir alice/models/m && printf -- '{CARD}' > alice/models/m/README.md")
    soon(lambda: followed.found("oscillator") == ["alice/models/m"])
    followed.shell("printf '# Pendulum' > alice/models/m/README.md")
    soon(lambda: followed.found("pendulum") == ["alice/models/m"])
    soon(lambda: followed.found("oscillator") == [])


def test_a_file_that_stays_open_counts_what_was_flushed(followed: Library) -> None:
    """A simulation writes for hours; its owner's bytes must not wait for its end."""
    script = "import sys,time\nf=open('alice/data/log','wb',0)\nfor _ in range(100): f.write(b'x'*10)\nprint(flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=followed.files, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        soon(lambda: followed.index.usage("alice") == 1000)
        running.communicate()


def test_what_is_deleted_is_gone(followed: Library) -> None:
    """A hit that leads nowhere costs trust."""
    followed.shell("mkdir -p alice/data/old/a/b && echo 1 > alice/data/old/a/b/deepfile && echo 2 > alice/data/single")
    soon(lambda: followed.index.usage("alice") == 4 and len(followed.found("deepfile", inside=True)) == 1)
    followed.shell("rm -r alice/data/old alice/data/single")
    soon(lambda: followed.found() == [] and followed.found("deepfile", inside=True) == [])
    soon(lambda: followed.index.usage("alice") == 0)


def test_what_is_moved_is_found_at_its_new_place_alone(followed: Library) -> None:
    """Moves between folders and owners, with watches that the kernel keeps on the moved folders."""
    followed.shell(
        "mkdir -p alice/data/a/in && echo 1 > alice/data/a/in/thing && mkdir bob/data/b && echo 22 > bob/data/b/other"
    )
    soon(lambda: len(followed.found("thing", inside=True)) == 1 and len(followed.found("other", inside=True)) == 1)
    followed.shell("mv alice/data/a bob/tools/a2 && mv bob/data/b alice/data/a")
    soon(lambda: followed.found("thing", inside=True) == ["bob/tools/a2/in/thing"])
    soon(lambda: followed.found("other", inside=True) == ["alice/data/a/other"])
    followed.shell("echo 1 > bob/tools/a2/in/later && echo 1 > alice/data/a/latest")
    soon(lambda: followed.found("later", inside=True) == ["bob/tools/a2/in/later"])
    soon(lambda: followed.found("latest", inside=True) == ["alice/data/a/latest"])
    assert followed.index.usage("bob") == 4


def test_folders_that_swap_names_swap_their_content(followed: Library) -> None:
    """Two renames within the delay leave both names in place."""
    followed.shell(
        "mkdir -p alice/data/{p,q}/sub && echo 1 > alice/data/p/sub/pepper && echo 1 > alice/data/q/sub/quince"
    )
    soon(lambda: len(followed.found("pepper", inside=True) + followed.found("quince", inside=True)) == 2)
    followed.shell("cd alice/data && mv p t && mv q p && mv t q")
    soon(lambda: followed.found("pepper", inside=True) == ["alice/data/q/sub/pepper"])
    soon(lambda: followed.found("quince", inside=True) == ["alice/data/p/sub/quince"])
    followed.shell("touch alice/data/p/sub/pear alice/data/q/sub/quark")
    soon(lambda: followed.found("pear", inside=True) == ["alice/data/p/sub/pear"])
    soon(lambda: followed.found("quark", inside=True) == ["alice/data/q/sub/quark"])


def test_new_owners_and_those_that_leave_are_noticed(followed: Library) -> None:
    """An account is made or removed while the service runs."""
    followed.shell("mkdir -p carol/data && echo 1 > carol/data/first && rm -r bob")
    soon(lambda: followed.found("first", "carol") == ["carol/data/first"])
    followed.shell("mkdir carol/models && echo 1 > carol/models/second")
    soon(lambda: followed.found("second", "carol") == ["carol/models/second"])
    followed.shell("rm -r carol")
    soon(lambda: followed.found("first") == [] and followed.index.usage("carol") == 0)


def test_what_the_service_writes_is_there_when_it_says_so(followed: Library) -> None:
    """The page reloads right after an upload, and the next upload's quota counts this one."""
    followed.write("alice/data/upload.csv", "12345")
    followed.changed("alice/data/upload.csv")
    assert followed.found("upload") == ["alice/data/upload.csv"]
    assert followed.index.usage("alice") == 5
    (followed.files / "alice/data/upload.csv").unlink()
    followed.changed("alice/data/upload.csv")
    assert followed.found("upload") == []
    assert followed.index.usage("alice") == 0


def test_a_whole_folder_that_the_service_wrote_shows_up_without_delay(followed: Library) -> None:
    """A published version or a restored one, made by renaming."""
    followed.write("alice/tools/t/deep/er/x.py")
    followed.changed("alice/tools/t")
    assert soon(lambda: followed.found("er", inside=True)) < 1


def test_twenty_thousand_files_from_one_process(followed: Library) -> None:
    """A simulation's output: all of it, and quickly after the last file."""
    followed.python("for i in range(20000): open(f'alice/data/out{i}.csv','w').write('x')")
    took = soon(lambda: followed.index.usage("alice") == 20_000, 10)
    print(f"20,000 files were complete {took:.2f} s after the last one")
    assert len(followed.found("out", "alice")) == 20_000


def test_changes_lost_by_the_kernel_are_found_by_comparing(followed: Library, caplog: pytest.LogCaptureFixture) -> None:
    """More changes at once than the kernel's queue holds (16,384): every report after that is lost."""
    caplog.set_level("INFO", "libms")
    followed.python("import os\nfor i in range(9000): os.mkdir(f'bob/data/f{i:04}')")
    soon(lambda: followed.found("f8999"), 60)
    # The writer is kept busy, so that nobody reads the queue: each touched folder makes two reports.
    with followed.index.database.write():
        followed.python("for i in range(9000): open(f'bob/data/f{i:04}/new{i:04}','w').close()")
        followed.shell("echo 1 > alice/data/bystander")
    assert soon(lambda: followed.found("bystander")) < 2
    soon(lambda: followed.found("new8999", inside=True), 60)
    assert len(followed.found("new", "bob", inside=True)) == 9000
    assert "changes of bob came faster" in caplog.text
    assert "changes of alice" not in caplog.text


def test_what_changed_while_nobody_looked_is_found_at_the_next_start(followed: Library) -> None:
    """Workspaces go on while the service restarts."""
    followed.shell(f"mkdir bob/models/m && printf -- '{CARD}' > bob/models/m/README.md && echo 1 > alice/data/old")
    soon(lambda: len(followed.found()) == 2)
    followed.stop()
    followed.shell("printf '# Pendulum' > bob/models/m/README.md && rm alice/data/old && echo 22 > alice/data/young")
    followed.start()
    assert followed.found("pendulum") == ["bob/models/m"]
    assert followed.found("", "alice") == ["alice/data/young"]
    assert [followed.index.usage(owner) for owner in ("alice", "bob")] == [3, 10]


def test_somebody_who_writes_in_a_loop_costs_little_and_delays_nobody(followed: Library) -> None:
    """One person's loop is everybody's problem unless it is paid for by that person."""
    script = "while True:\n for name in 'ab':\n  open(f'bob/models/loop/{name}','w').write('x')\n open('bob/models/loop/README.md','w').write('# Loop '+'y'*5000)"
    (followed.files / "bob/models/loop").mkdir()
    with subprocess.Popen([sys.executable, "-c", script], cwd=followed.files) as loop:
        try:
            soon(lambda: followed.found("loop", inside=True))
            cpu, begun = time.process_time(), time.monotonic()
            followed.shell("echo 1 > alice/data/calm")
            soon(lambda: followed.found("calm"))
            while time.monotonic() < begun + 3:
                followed.index.usage("bob")
                time.sleep(0.1)
            share = (time.process_time() - cpu) / (time.monotonic() - begun)
        finally:
            loop.kill()
    print(f"a loop of writes costs {share:.1%} of a core")
    assert share < 0.2


def test_nothing_is_done_while_nothing_happens(followed: Library) -> None:
    """An idle platform on a small machine stays idle."""
    soon(lambda: followed.indexer.ready)
    cpu, begun = time.process_time(), time.monotonic()
    soon(lambda: time.monotonic() > begun + 3, 4)
    assert time.process_time() - cpu < 0.3


def test_the_bytes_are_those_of_the_disk_after_much_change(followed: Library) -> None:
    """Quotas are only fair when the count never drifts."""
    followed.python(
        "import os,random,shutil\nr=random.Random(5)\nbase='alice/data'\n"
        "for i in range(1500):\n"
        " d=f'{base}/{r.randrange(20)}/{r.randrange(5)}'\n"
        " os.makedirs(d,exist_ok=True)\n"
        " c=r.random()\n"
        " if c<.6: open(f'{d}/f{r.randrange(30)}','w').write('x'*r.randrange(500))\n"
        " elif c<.75: shutil.rmtree(d)\n"
        " elif c<.85: shutil.rmtree(os.path.dirname(d))\n"
        " else:\n"
        "  t=f'{base}/{r.randrange(20)}/{r.randrange(5)}'\n"
        "  if not os.path.exists(t):\n"
        "   os.makedirs(os.path.dirname(t),exist_ok=True); os.rename(d,t)\n"
    )
    soon(lambda: followed.index.usage("alice") == true_usage(followed.files / "alice"))
    on_disk = {
        str(file.relative_to(followed.files)) for file in (followed.files / "alice").rglob("f*") if file.is_file()
    }
    soon(lambda: set(followed.found("f", "alice", inside=True)) == on_disk)
