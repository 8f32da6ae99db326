"""Mutation testing: does gradlab see an edited implementation, and do the tests see an edited gradlab?

Part "implementations": each mutant of the sound implementations is judged by gradlab; it is killed if gradlab judges
it worse than the original (see judge.py). Part "arguments": the same mutants, judged by the implementations' own tests,
which ask more about arguments that are to be refused. Part "gradlab": each mutant of the oracle, the tolerances, the
checks and the verdict is judged by its tests (see targets.py). Part "bounds": the same, but the mutants are edits of
the constants and the terms that the truth and the bounds are made of (see edits.py), where the others are cosmic-ray's.
Everything happens in a temporary clone of HEAD with an environment of its own; the working tree is not touched.

    python -m tools.mutation.mutants --part implementations
    python -m tools.mutation.mutants --part arguments --again FILE    only what FILE, written by --to, calls survivors
    python -m tools.mutation.mutants --part gradlab --sample 200 --seed 0
    python -m tools.mutation.mutants --part gradlab --again FILE
    python -m tools.mutation.mutants --part costly --each 8 --seed 2    of gradlab, what a verdict rests on
    python -m tools.mutation.mutants --part bounds --environment .venv  with the packages that are installed already
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tools.mutation.edits import PREFIX, apply, bounds_mutants
from tools.mutation.forks import run_pytest
from tools.mutation.listing import Mutant, mutants
from tools.mutation.targets import ALL, BASELINE, PARTS, Module

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
Pair = tuple[Module, Mutant]
KINDS = ("killed", "told", "survived", "timeout", "incompetent")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    kind: "killed"; "told" by gradlab, whose verdict stays but a check fails that did not before; "survived";
    "timeout"; "incompetent" if the module cannot be imported any more. why: the judge's last line.
    """

    mutant: Mutant
    kind: str
    why: str
    diff: str


@dataclass(frozen=True)
class Workshop:
    """The temporary clone; limit: seconds for one judge; judges: how many are asked at most.

    environment: the virtual environment to use, None for one of the clone's own.
    """

    folder: Path
    limit: float
    judges: int
    environment: Path | None

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    def tool(self, name: str) -> Path:
        return (self.environment or self.clone / ".venv") / "bin" / name

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Python in the clone; the judge's script and file are named without their folders. Raises TimeoutExpired."""
        where = {"judge.py": str(HERE / "judge.py"), BASELINE: str(self.folder / BASELINE)}
        if self.environment == Path(sys.prefix) and arguments[:2] == ("-m", "pytest"):
            return run_pytest(arguments[2:], self.clone, self.limit)
        command = [str(self.tool("python")), *(where.get(one, one) for one in arguments)]
        return subprocess.run(command, cwd=self.clone, capture_output=True, text=True, timeout=self.limit, check=False)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.clone, check=True, capture_output=True, text=True)
        return done.stdout


def set_up(workshop: Workshop) -> None:
    """Clones HEAD and installs the packages of constraints.txt, the project and the extra `mutation`.

    In an environment that is given nothing is installed; Python looks into the folder that it is started in first, the
    clone, whichever gradlab is installed there.
    """
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(workshop.clone)], check=True)
    if workshop.environment is None:
        subprocess.run(["make", "setup"], cwd=workshop.clone, check=True, stdout=subprocess.DEVNULL)
        pip = (workshop.tool("python"), "-m", "pip", "install", "--quiet", "--no-build-isolation", "-e", ".[mutation]")
        subprocess.run(pip, cwd=workshop.clone, check=True)
    # By the contents: a mutant of the same second and size as another is never taken for it.
    compiled = ("-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "gradlab", "implementations")
    subprocess.run((workshop.tool("python"), *compiled), cwd=workshop.clone, check=True)


def outcome(workshop: Workshop, module: Module, mutant: Mutant) -> Outcome:
    """Edits the module in the clone, asks its judges, and puts it back."""
    if mutant.operator.startswith(PREFIX):
        apply(workshop.clone, mutant)
    else:
        command = [str(workshop.tool("cosmic-ray")), "apply", mutant.path, mutant.operator, str(mutant.occurrence)]
        subprocess.run(command, cwd=workshop.clone, check=True, capture_output=True)
    try:
        diff = workshop.git("diff", "-U0", "--", mutant.path)
        kind, why = _ask(workshop, module)
        return Outcome(mutant, kind, why, "\n".join(diff.splitlines()[4:]))
    finally:
        workshop.git("checkout", "--quiet", "--", mutant.path)


def _ask(workshop: Workshop, module: Module) -> tuple[str, str]:
    try:
        for judge in module.judges[: workshop.judges]:
            said = workshop.python(*judge)
            if said.returncode:
                judged = "FAILED " in said.stdout  # a test ran, so the module can be imported
                if not judged and workshop.python("-c", f"import {module.name}").returncode:
                    return "incompetent", ""
                return _kind_of_kill(said.stdout), _reason(said)
    except subprocess.TimeoutExpired:
        return "timeout", ""
    return "survived", ""


def _kind_of_kill(said: str) -> str:
    return "told" if said.startswith("check ") else "killed"


def _reason(said: subprocess.CompletedProcess[str]) -> str:
    lines = (said.stdout or said.stderr).splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return (failed or lines or [""])[-1][:300]


def _refuse_unless_sound(workshop: Workshop, module: Module) -> None:
    """Exits where a judge rejects the module as it is: it would kill every mutant."""
    kind, why = _ask(workshop, module)
    if kind != "survived":
        sys.exit(f"{module.path} is not mutated: its judges reject it as it is ({kind} {why})")


def chosen_mutants(workshop: Workshop, modules: Iterable[Module], chosen: argparse.Namespace) -> list[Pair]:
    """All mutants in an order drawn by the seed, cut off at the sample; or those that survived before."""
    found = [(one, mutant) for one in modules for mutant in _list(workshop, one, chosen.part)]
    if chosen.again:
        before = {str(one.mutant) for one in read(chosen.again) if one.kind == "survived"}
        drawn = [pair for pair in found if str(pair[1]) in before]
    elif chosen.each:
        drawn = _in_turns(found, modules, chosen)
    else:
        order = np.random.default_rng(chosen.seed).permutation(len(found))
        drawn = [found[i] for i in order[: chosen.sample or len(found)]]
    print(f"{len(drawn)} of {len(found)} mutants", flush=True)
    return drawn


def _list(workshop: Workshop, module: Module, part: str) -> list[Mutant]:
    if part == "bounds":
        return bounds_mutants(workshop.clone, module.path)
    return mutants(workshop.tool("cosmic-ray"), workshop.clone, module.path, workshop.folder)


def _in_turns(found: list[Pair], modules: Iterable[Module], chosen: argparse.Namespace) -> list[Pair]:
    """`each` mutants of each module, or all where it has fewer: one of every module, then the next of every module.

    The first `after` of each module are left out.
    """
    drawn = []
    for place, module in enumerate(modules):
        own = [pair for pair in found if pair[0] == module]
        order = np.random.default_rng(chosen.seed).permutation(len(own))[chosen.after :][: chosen.each]
        drawn += [(turn, place, own[i]) for turn, i in enumerate(order)]
    return [pair for *_, pair in sorted(drawn, key=lambda one: one[:2])]


def read(file: Path) -> Iterator[Outcome]:
    """The outcomes that --to wrote."""
    for line in file.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        yield Outcome(**{**fields, "mutant": Mutant(**fields["mutant"])})


def table(found: Iterable[Outcome]) -> str:
    """The counts per module in Markdown; the score is what was killed or told of what could be judged."""
    counts: dict[str, Counter[str]] = {}
    for one in found:
        counts.setdefault(one.mutant.path, Counter())[one.kind] += 1
    counts["all"] = sum(counts.values(), Counter[str]())
    lines = [f"| module | mutants | {' | '.join(KINDS)} | score |", "|---|" + "---|" * (len(KINDS) + 2)]
    for path, count in counts.items():
        caught = count["killed"] + count["told"]
        score = f"{caught / (caught + count['survived']):.0%}" if caught + count["survived"] else "-"
        lines.append(f"| `{path}` | {count.total()} | {' | '.join(str(count[kind]) for kind in KINDS)} | {score} |")
    return "\n".join(lines)


def survivors(found: Iterable[Outcome]) -> str:
    """Each survivor with the lines that it changes."""
    return "\n\n".join(f"{one.mutant}\n{one.diff}" for one in found if one.kind == "survived")


def run(chosen: argparse.Namespace) -> Iterator[Outcome]:
    """The outcome of each mutant chosen, as soon as it is known."""
    with tempfile.TemporaryDirectory(prefix="gradlab-mutants-") as folder:
        environment = chosen.environment.absolute() if chosen.environment else None
        workshop = Workshop(Path(folder), chosen.limit, chosen.judges, environment)
        set_up(workshop)
        if chosen.part == "implementations":
            workshop.python("judge.py", "record", BASELINE, *ALL).check_returncode()
        modules = [module for module in PARTS[chosen.part] if chosen.module in module.path]
        for module in modules:
            _refuse_unless_sound(workshop, module)
        for module, mutant in chosen_mutants(workshop, modules, chosen):
            yield outcome(workshop, module, mutant)


def main() -> int:
    """Judges the mutants, and prints the table and the survivors; stopped by Ctrl-C, of those judged until then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=tuple(PARTS), default="implementations")
    parser.add_argument("--module", default="", help="only modules with this in their path")
    parser.add_argument("--sample", type=int, default=0, help="how many mutants to draw; all unless given")
    parser.add_argument("--each", type=int, default=0, help="how many to draw of each module instead, in turns")
    parser.add_argument("--after", type=int, default=0, help="with --each: leave out so many of each module first")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which they are drawn")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one judge, then it is a timeout")
    parser.add_argument("--judges", type=int, default=9, help="of a module, how many to ask; 1 is quick and less sure")
    parser.add_argument("--environment", type=Path, help="a virtual environment to use in place of a new one")
    parser.add_argument("--again", type=Path, help="only what this file, written by --to, calls survivors")
    parser.add_argument("--to", type=Path, help="add each outcome to this file, as a line of JSON")
    chosen = parser.parse_args()
    found: list[Outcome] = []
    with suppress(KeyboardInterrupt):
        for one in run(chosen):
            found.append(one)
            print(f"{len(found):4} {one.kind:11} {one.mutant}  {one.why}", flush=True)
            if chosen.to:
                with chosen.to.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
    print(f"\n{table(found)}\n\n{survivors(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
