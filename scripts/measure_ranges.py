"""Measures the ranges of a model's activations on real frames, for its card in 8-bit integers.

    python scripts/measure_ranges.py MODEL CLIP [CLIP ...] --out vsanon/models/cards/MODEL_int8.json [--frames 8]

Frames are taken evenly from each clip and shown at 640 and at 1280 pixels wide. The file that is written holds
numbers only: the least and the greatest value of each tensor that `vsanon.models.quantize` puts into integers.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from vsanon.job.frames import picture
from vsanon.media.source import open_source
from vsanon.models import cards, load
from vsanon.models.prepare import prepared
from vsanon.models.quantize import activations

WIDTHS = (640, 1280)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=8)
    args = parser.parse_args()
    card = cards()[args.model]
    graph = prepared(load(card, print), card)
    names = activations(graph)
    model = onnx.load_from_string(graph)
    made = {name for node in model.graph.node for name in node.output} - {o.name for o in model.graph.output}
    for name in names:
        if name in made:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    found: dict[str, tuple[float, float]] = {}
    count = 0
    for clip in args.clips:
        frames = open_source(clip).clip
        for n in np.linspace(0, frames.num_frames - 1, args.frames).astype(int).tolist():
            for width in WIDTHS:
                shown = _input(picture(_sized(frames, width, card.input.stride), n), card)
                values = {session.get_inputs()[0].name: shown}
                values |= dict(zip(outputs, session.run(outputs, values), strict=True))
                for name in names:
                    low, high = float(values[name].min()), float(values[name].max())
                    least, most = found.get(name, (low, high))
                    found[name] = min(least, low), max(most, high)
                count += 1
    content = {
        "of": {
            "model": card.name,
            "sha256": card.sha256,
            "clips": [clip.name for clip in args.clips],
            "frames": count,
        },
        "ranges": {name: [round(v, 6) for v in found[name]] for name in names},
    }
    args.out.write_text(json.dumps(content, indent=1) + "\n")


def _sized(clip, width, stride):
    height = max(stride, round(clip.height * width / clip.width / stride) * stride)
    return clip.resize.Bilinear(width, height)


def _input(rgb, card):
    planes = rgb.transpose(2, 0, 1)
    ordered = planes[::-1] if card.input.colour == "bgr" else planes
    mean = np.array(card.input.mean, np.float32)[:, None, None]
    return ((ordered.astype(np.float32) - mean) * np.float32(card.input.scale))[None]


if __name__ == "__main__":
    main()
