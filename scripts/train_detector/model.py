"""The network: a small convolutional backbone, a feature pyramid, and one head shared by four strides."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32, 64)
OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("score", "box") for stride in STRIDES)

_MAX_LOG = 4.0  # exp(4) = 54 cells from the cell's centre to a side: more than any frame holds


@dataclass(frozen=True, slots=True)
class Size:
    """How wide and deep a network is.

    Args:
        widths: channels at strides 2, 4, 8, 16, 32; None at stride 2 where one convolution of 6x6 goes to stride 4
            at once, which saves a tenth of the time.
        blocks: residual blocks at strides 8, 16, 32.
        neck: channels of the pyramid and the head.
    """

    widths: tuple[int | None, int, int, int, int]
    blocks: tuple[int, int, int]
    neck: int


SIZES = {
    "plate": Size((None, 40, 64, 128, 192), (2, 4, 4), 48),
    "face": Size((None, 32, 48, 96, 128), (2, 2, 3), 32),
}


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, (size - stride + 1) // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """A residual block that narrows to half the channels. Grouped convolutions have slow gradients on CPUs."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels // 2, 1), conv(channels // 2, channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(conv(inputs, outputs, 3, 2), *(Block(outputs) for _ in range(blocks)))


class Net(nn.Module):
    """Scores and boxes on a grid of cells for each stride.

    `forward` takes (n, 3, H, W) RGB of 0 to 255, H and W multiples of 32, and returns for each stride
    (n, 1, h, w) logits and (n, 4, h, w) logarithms of the distances, in cells, from the cell's centre to the left,
    upper, right and lower side. A cell's centre is ((x + 0.5) * stride, (y + 0.5) * stride).
    """

    def __init__(self, size: Size) -> None:
        super().__init__()
        a, b, c, d, e = size.widths
        neck = size.neck
        self.stem = conv(3, b, 6, 4) if a is None else nn.Sequential(conv(3, a, 3, 2), conv(a, b, 3, 2))
        self.stage8 = stage(b, c, size.blocks[0])
        self.stage16 = stage(c, d, size.blocks[1])
        self.stage32 = stage(d, e, size.blocks[2])
        self.lateral = nn.ModuleList(conv(width, neck, 1) for width in (c, d, e))
        self.smooth = nn.ModuleList(conv(neck, neck) for _ in range(2))
        self.extra = conv(neck, neck, 3, 2)
        self.tower = nn.Sequential(Block(neck), Block(neck))
        self.score = nn.Conv2d(neck, 1, 1)
        self.box = nn.Conv2d(neck, 4, 1)
        nn.init.constant_(self.score.bias, -4.6)
        nn.init.constant_(self.box.bias, 0.7)

    def forward(self, rgb: Tensor) -> list[tuple[Tensor, Tensor]]:
        p8 = self.stage8(self.stem((rgb - 127.5) * (1 / 64)))
        p16 = self.stage16(p8)
        p32 = self.stage32(p16)
        p8, p16, p32 = (lateral(p) for lateral, p in zip(self.lateral, (p8, p16, p32), strict=True))
        p16 = self.smooth[1](p16 + functional.interpolate(p32, scale_factor=2.0, mode="nearest"))
        p8 = self.smooth[0](p8 + functional.interpolate(p16, scale_factor=2.0, mode="nearest"))
        towered = [self.tower(p) for p in (p8, p16, p32, self.extra(p32))]
        return [(self.score(t), self.box(t)) for t in towered]


def distances(logs: Tensor, stride: int) -> Tensor:
    """Pixels, out of what a head says."""
    return logs.clamp(max=_MAX_LOG).exp() * stride


class Exported(nn.Module):
    """The network as it is shipped: sigmoid scores of all strides, then distances in pixels of all strides."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, rgb: Tensor) -> tuple[Tensor, ...]:
        heads = self.net(rgb)
        boxes = (distances(box, stride) for stride, (_, box) in zip(STRIDES, heads, strict=True))
        return (*(score.sigmoid() for score, _ in heads), *boxes)
