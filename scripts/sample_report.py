"""Make reports/sample again: reports/sample_matrix.yaml over scenes that vsanon draws itself, and its report.

    python scripts/sample_report.py            # measures everything: minutes, and the face model
    python scripts/sample_report.py --render   # the pages alone, from the evidence that lies there

The same code gives the same bytes. The evidence names the code's own SHA-256, so a full run after a change of the
code differs in that, and in what hangs on it. Nobody's footage is in it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from vsanon.reporting import ReportFacts, write_report

REPORTS = Path(__file__).parents[1] / "reports"
MATRIX, SAMPLE = REPORTS / "sample_matrix.yaml", REPORTS / "sample"

FACTS = ReportFacts(
    title="Sample report: two formats at two qualities, on drawn scenes",
    issuer="vsanon, as a sample; nobody answers for it",
    client="Whoever wants to see what a report looks like",
    sampling_plan="None: scenes that vsanon draws itself. They show how a report reads, not how safe footage is.",
    notes="Made again by scripts/sample_report.py.",
)


def main() -> None:
    options = argparse.ArgumentParser(description="Make reports/sample again.")
    options.add_argument("--render", action="store_true", help="from the evidence that lies there")
    options.add_argument("--run", type=Path, help="the folder of the run; measured cells in it are used again")
    asked = options.parse_args()
    if asked.render:
        write_report(SAMPLE / "evidence.json", SAMPLE, FACTS, overwrite=True)
        return
    with tempfile.TemporaryDirectory() as temporary:
        run = asked.run or Path(temporary)
        argv = [sys.executable, "-m", "vsanon", "validate", "run", str(MATRIX), "-o", str(run)]
        # Exit code 1 says that a criterion is not passed, which a report is there to say.
        done = subprocess.run(argv, check=False)
        if done.returncode not in (0, 1):
            sys.exit(done.returncode)
        write_report(run / "evidence.json", SAMPLE, FACTS, overwrite=True)


if __name__ == "__main__":
    main()
