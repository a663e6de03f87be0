"""Commands and their options; what they do is imported when they are called, so that help comes at once.

``argparse``, because ``--support IMAGE LABELS`` takes two values and repeats, which Typer has no way to say.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn

from napari_revsam2 import __version__
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.option import options_of
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError, ProblemError, RevSAM2Error, RunError

from .evaluate_options import AXIS_HELP, add_evaluate_options
from .option_values import as_name, as_one_of, as_path, as_whole_number, as_whole_numbers
from .streams import note, say

VARIED = {"n_support", "top_k", "mode", "window"}
"""Settings that an evaluation varies, or takes from the dataset."""

_TYPES: dict[type, Callable[[str], Any]] = {int: as_whole_number, str: as_name}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return 0, 2 after a sentence about a problem that the user can solve, or 1 if a run failed.

    Raises
    ------
    SystemExit
        After help, with code 0, and after words that can't be parsed, with code 2.
    """
    words = _joined(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what the pipe's encoding lacks
    options = _parser().parse_args(words, argparse.Namespace(words=tuple(words)))
    try:
        options.command(options)
    except RevSAM2Error as error:
        return _told(error, code=1 if isinstance(error, RunError) else 2)
    except MemoryError:
        return _told(NotEnoughMemoryError())
    return 0


def _joined(words: Sequence[str]) -> list[str]:
    """Write ``--window -600,1500`` as ``--window=-600,1500``, and likewise after any option.

    argparse takes what begins with a dash for an option, unless it is a single number.
    """
    joined: list[str] = []
    for word in words:
        is_value = re.match(r"-[\d.]", word) and not re.fullmatch(r"-\d+|-\d*\.\d+", word)
        if is_value and joined and re.fullmatch(r"--[^=]+", joined[-1]):
            joined[-1] += "=" + word
        else:
            joined.append(word)
    return joined


def _told(error: RevSAM2Error, code: int = 2) -> int:
    note(f"napari-revsam2: {error}")
    return code


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and exit with code 2."""
        note(f"napari-revsam2: {message.removesuffix('.')}: see '{self.prog} --help'.")
        self.exit(2)

    def _print_message(self, message: str, *_: Any) -> None:  # help and version, whose loss argparse would hide
        say(message.rstrip("\n"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="napari-revsam2",
        description="Segment a CT or MRI volume from a few painted slices of another one: RevSAM2 on SAM 2, without "
        "training.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_segment(commands.add_parser("segment", help="segment a query volume from annotated slices of others"))
    evaluate = commands.add_parser("evaluate", help="repeat the paper's experiments on labelled datasets")
    evaluate.set_defaults(command=_evaluate)
    add_evaluate_options(evaluate)
    _add_settings(evaluate, without=VARIED)
    _add_demo(commands.add_parser("demo", help="run on the sample volumes that ship with the package"))
    _add_models(commands.add_parser("models", help="list, download, find or remove checkpoints that others publish"))
    _add_cache(commands.add_parser("cache", help="look at, or clear, the embeddings that are kept between runs"))
    return parser


def _add_segment(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_segment)
    add = parser.add_argument
    add(
        "--support",
        nargs=2,
        type=as_path,
        action="append",
        required=True,
        metavar=("IMAGE", "LABELS"),
        help="a support volume and its labels; may be repeated",
    )
    add("--query", type=as_path, required=True, metavar="IMAGE", help="the volume to segment")
    add(
        "--output",
        type=as_path,
        required=True,
        metavar="MASK",
        help="label volume to write (.nii, .nii.gz, .tif, .tiff)",
    )
    add(
        "--label",
        type=as_whole_number,
        nargs="+",
        action="extend",
        metavar="ID",
        help="classes to segment; default: all that are painted",
    )
    add(
        "--slices",
        type=as_whole_numbers,
        action="append",
        metavar="3,10,22",
        help="annotated slices to use, counted from 0 towards superior, anterior or right; with several supports once "
        "for each, in their order; N is then their number, unless --n-support says less; default: N of the annotated "
        "ones, evenly spread over all support volumes",
    )
    add("--axis", type=as_one_of(Axis), metavar="|".join(Axis), default=Axis.AXIAL, help=AXIS_HELP)
    _add_settings(parser)
    add("--scores", type=as_path, metavar="CSV", help="table of the reverse score per class and slice to write")
    add("--figure", type=as_path, metavar="PNG", help="picture of the result to write")
    add("--truth", type=as_path, metavar="LABELS", help="true labels of the query, to compare with")
    add("--json", action="store_true", help="print one JSON object last")


def _add_settings(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> None:
    """One option for each setting, made from the settings themselves."""
    for option in options_of(RevSAM2Config):
        if option.name in without:
            continue
        shown = getattr(option.default, "value", option.default)
        parser.add_argument(
            "--" + option.name.replace("_", "-"),
            type=_TYPES.get(option.kind) or as_one_of(option.kind),
            metavar="|".join(option.choices or [option.name.upper()]),
            default=None,
            help=f"{option.help} (default: {shown})".replace("%", "%%"),
        )


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_demo)
    parser.add_argument(
        "--output", type=as_path, metavar="FOLDER", default=Path("demo_output"), help="(default: demo_output)"
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    actions.add_parser("list", help="list the checkpoints, installed or not").set_defaults(command=_list_models)
    named = actions.add_parser("download", help="download a checkpoint from those who publish it")
    named.set_defaults(command=_download_model)
    named.add_argument("name", type=as_name, metavar="NAME")
    where = actions.add_parser("where", help="the path of a checkpoint's file, or of the folder of all")
    where.set_defaults(command=_show_where)
    where.add_argument("name", type=as_name, metavar="NAME", nargs="?")
    removed = actions.add_parser("remove", help="delete a downloaded checkpoint")
    removed.set_defaults(command=_remove_model)
    removed.add_argument("name", type=as_name, metavar="NAME")


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_show_cache)
    actions = parser.add_subparsers(metavar="ACTION")
    actions.add_parser("show", help="where they are and what they take (the default)")
    actions.add_parser("clear", help="delete them").set_defaults(command=_clear_cache)


def _show_cache(_: argparse.Namespace) -> None:
    from .cache_commands import show_cache

    show_cache()


def _clear_cache(_: argparse.Namespace) -> None:
    from .cache_commands import clear_cache

    clear_cache()


def _list_models(_: argparse.Namespace) -> None:
    from .models import list_models

    list_models()


def _download_model(options: argparse.Namespace) -> None:
    from .models import download_model

    download_model(options.name)


def _show_where(options: argparse.Namespace) -> None:
    from .models import show_where

    show_where(options.name)


def _remove_model(options: argparse.Namespace) -> None:
    from .models import remove_model

    remove_model(options.name)


def _segment(options: argparse.Namespace) -> None:
    from .segment import Request, run_request

    given = _given(options)
    n_support_is_binding = "n_support" in given
    if options.slices and not n_support_is_binding:
        given["n_support"] = sum(len(set(indices)) for indices in options.slices)
    run_request(
        Request(
            supports=tuple((image, labels) for image, labels in options.support),
            query=options.query,
            output=options.output,
            config=RevSAM2Config(**given),
            axis=options.axis,
            labels=tuple(options.label) if options.label else None,
            slices=tuple(options.slices) if options.slices else None,
            n_support_is_binding=n_support_is_binding,
            scores=options.scores,
            figure=options.figure,
            truth=options.truth,
            json=options.json,
        )
    )


def _evaluate(options: argparse.Namespace) -> None:
    try:
        from .evaluate import run_evaluation
    except ModuleNotFoundError as error:
        raise ProblemError(
            f"The command evaluate needs {error.name}, which isn't installed: pip install 'napari-revsam2[evaluation]'."
        ) from error
    run_evaluation(options, RevSAM2Config(**_given(options, VARIED)))


def _given(options: argparse.Namespace, without: Collection[str] = ()) -> dict[str, Any]:
    """Collect the settings that the user chose."""
    names = [option.name for option in options_of(RevSAM2Config) if option.name not in without]
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _demo(options: argparse.Namespace) -> None:
    from .demo import run_demo

    run_demo(options.output)
