"""One plan by `openjd run`, by the script for sbatch under its variables, and by the shell: the same bytes.

python scripts/farm_engines.py FOLDER [--frames 120] [--chunk-seconds 1]

Draws a clip, plans it once for each engine in a folder of its own, and compares the delivered files, to the byte.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from vsanon.encode import ffmpeg_path
from vsanon.farm import plan_file
from vsanon.farm.plan import Plan
from vsanon.files import sha256_file

BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--chunk-seconds", type=float, default=1.0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True)
    source = drawn(asked.folder / "clip.mov", asked.frames)
    found = {}
    for engine in ("openjd", "slurm", "shell", "shell, two at a time"):
        plan = planned(source, asked.folder / engine.replace(", ", " ").replace(" ", "-"), asked.chunk_seconds)
        {"openjd": by_openjd, "slurm": by_slurm}.get(engine, by_shell)(plan, engine)
        output = plan.files[0].output
        verified = run("vsanon", "verify", output, "--source", source)
        found[engine] = sha256_file(output)
        print(f"{engine}: {len(plan.units)} chunks, {found[engine]}, verified: {verified.count('pass')} checks")
    if len(set(found.values())) != 1:
        print("WRONG: they differ")
        raise SystemExit(1)
    print("the same bytes")


def drawn(path: Path, frames: int) -> Path:
    picture = f"testsrc2=s=240x136:r=25:d={frames / 25}"
    argv = ["-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=r=48000:d={frames / 25}"]
    subprocess.run([ffmpeg_path(), *argv, "-c:v", "libx264", "-c:a", "pcm_s16le", str(path)], check=True)
    return path


def planned(source: Path, folder: Path, seconds: float) -> Plan:
    options = ["--classes", "plate", "--setting", "fast", "--size", "192", "--preset", "ffv1"]
    options += ["--chunk-seconds", str(seconds), "--gap", "0.2", "--lead", "0.1"]
    run("vsanon", "farm", "plan", source, "--out", folder, *options)
    return plan_file.read(folder / "farm.json")


def by_openjd(plan: Plan, _: str) -> None:
    template = plan.path.with_name("farm.openjd.yaml")
    template.write_text(run("vsanon", "farm", "export", "openjd", plan.path))
    run("openjd", "check", template)
    run("openjd", "run", template)


def by_slurm(plan: Plan, _: str) -> None:
    script = plan.path.with_name("farm.sbatch")
    script.write_text(run("vsanon", "farm", "export", "slurm", plan.path))
    run("shellcheck", script)
    (tasks,) = re.findall(r"--array=0-(\d+)$", script.read_text(), re.MULTILINE)
    for task in reversed(range(int(tasks) + 1)):
        run("sh", script, SLURM_JOB_ID="1", SLURM_ARRAY_JOB_ID="1", SLURM_ARRAY_TASK_ID=str(task))
    run("sh", script, SLURM_ARRAY_TASK_ID="0", VSANON_JOIN="1")


def by_shell(plan: Plan, engine: str) -> None:
    script = plan.path.with_name("farm.sh")
    script.write_text(run("vsanon", "farm", "export", "shell", plan.path))
    run("shellcheck", script)
    shell = shutil.which("dash") or "sh"
    count = 2 if "two" in engine else 1
    quiet = subprocess.DEVNULL
    argv = [shell, str(script)]
    loops = [subprocess.Popen(argv, env=environment({}), stdout=quiet, stderr=quiet) for _ in range(count)]
    if any(loop.wait() for loop in loops):
        raise SystemExit("WRONG: a loop of the shell failed")


def environment(more: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}


def run(*argv: object, **more: str) -> str:
    done = subprocess.run([*map(str, argv)], env=environment(more), capture_output=True, check=False)
    if done.returncode:
        print(f"WRONG: {argv}: {done.stdout.decode()[-1500:]} {done.stderr.decode()[-1500:]}")
        raise SystemExit(1)
    return done.stdout.decode()


if __name__ == "__main__":
    main()
