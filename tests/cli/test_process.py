"""Signals end the command line in silence, with the code of a shell and nothing half written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from napari_revsam2.cli import main

_WRITING = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started without
from napari_revsam2.cli import app, main
from napari_revsam2.volume_files import replaced_file

def write(_):
    with replaced_file(sys.argv[1]) as temporary:
        temporary.write_text("half")
        print("writing", flush=True)
        time.sleep(60)

app.run = write
sys.exit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="other signals there")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_is_silent_and_leaves_the_old_file_alone(name, code, tmp_path):
    output = tmp_path / "mask.nii"
    output.write_text("old")
    command = [sys.executable, "-c", _WRITING, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        process.send_signal(getattr(signal, name))
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == code
    assert [path.name for path in tmp_path.iterdir()] == ["mask.nii"]
    assert output.read_text() == "old"


def test_ctrl_c_is_silent_before_anything_is_imported(monkeypatch, capsys):
    class Interrupting:
        def find_spec(self, name, *_):
            if name == "napari_revsam2.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "napari_revsam2.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert main(["--version"]) == 130
    assert capsys.readouterr() == ("", "")


def test_signals_are_left_as_they_were():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert signal.getsignal(signal.SIGTERM) is before
