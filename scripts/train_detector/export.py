"""Writes a checkpoint as ONNX and checks that ONNX Runtime gives what torch gives, at several sizes."""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from model import OUTPUTS, SIZES, Exported, Net

MAX_DIFFERENCE = 1e-3  # of a score, or of a box in cells' pixels relative to its size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kind", choices=sorted(SIZES), default="plate")
    args = parser.parse_args()
    net = Net(SIZES[args.kind])
    net.load_state_dict(torch.load(args.checkpoint, map_location="cpu")["mean"])
    exported = Exported(net).eval()
    free = {"rgb": {2: "height", 3: "width"}}
    free |= {name: {2: f"rows_{name}", 3: f"columns_{name}"} for name in OUTPUTS}
    torch.onnx.export(
        exported,
        (torch.zeros(1, 3, 384, 640),),
        str(args.out),
        input_names=["rgb"],
        output_names=list(OUTPUTS),
        dynamic_axes=free,
        opset_version=17,
        dynamo=False,
    )
    onnx.checker.check_model(str(args.out))
    session = onnxruntime.InferenceSession(str(args.out), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for height, width in ((384, 640), (96, 160), (736, 1280)):
        rgb = rng.integers(0, 256, (1, 3, height, width)).astype(np.float32)
        with torch.no_grad():
            wanted = exported(torch.from_numpy(rgb))
        for name, one, other in zip(OUTPUTS, wanted, session.run(list(OUTPUTS), {"rgb": rgb}), strict=True):
            scale = max(1.0, float(one.abs().max()))
            difference = float(np.abs(one.numpy() - other).max()) / scale
            if difference > MAX_DIFFERENCE:
                raise SystemExit(f"{name} at {width}x{height} differs from torch by {difference}")
    content = args.out.read_bytes()
    parameters = sum(p.numel() for p in net.parameters())
    print(f"{parameters} parameters, {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
