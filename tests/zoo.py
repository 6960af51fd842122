"""Exports networks of many kinds with random weights by both of PyTorch's exporters, and holds what `reid` makes of each
file against onnxruntime. Prints a table; ends with 1 where a feature is wrong, or a file is refused that docs/weights.md does not name.

    python tests/zoo.py [--reid target/release/reid] [--device cpu,gpu] [--only NAME,…] [--quick] [--keep DIR]

The first run makes an environment of its own (torch, timm, onnxruntime; some GB) in --environment. Each network is exported
for a fixed and an open batch: by TorchScript to operator sets 14 and 17, by torch.export ("dynamo") to 18, 20 and 23. `--quick`
exports two of the ten. The error is the largest difference, of the largest value of the feature.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

PACKAGES = ["torch", "torchvision", "timm", "onnx", "onnxscript", "onnxruntime", "safetensors", "numpy", "pillow"]
EXPORTS = [("torchscript", 14), ("torchscript", 17), ("dynamo", 18), ("dynamo", 20), ("dynamo", 23)]
TOLERANCE = 1e-4
IMAGES = 3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reid", default="target/release/reid", help="the command")
    parser.add_argument("--device", default="cpu,gpu", help="cpu, gpu or both")
    parser.add_argument("--only", default="", help="names of networks, all without")
    parser.add_argument("--quick", action="store_true", help="two exports a network instead of ten")
    parser.add_argument("--keep", help="a folder for the ONNX files, which are made only where they are missing")
    parser.add_argument("--environment", default="target/zoo", help="where the Python environment is made")
    return parser.parse_args()


def enter(environment):
    """Goes on in an environment that has the packages, which is made where it is missing."""
    python = Path(environment).absolute() / "bin" / "python"
    if Path(sys.prefix) == python.parent.parent:
        return
    try:
        import onnxruntime, onnxscript, safetensors, timm, torch, torchvision  # noqa: F401
    except ImportError:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", environment], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        os.execv(python, [str(python), *sys.argv])


def networks():
    """Name → (height, width, what builds it). Without classifier: what is left gives the feature."""
    import timm
    import torch
    import torchvision
    from torch import nn
    from torch.nn import functional as F

    def of_timm(name, size=(256, 128), **options):
        return (*size, lambda: timm.create_model(name, pretrained=False, num_classes=0, **options))

    def shufflenet():
        model = torchvision.models.shufflenet_v2_x1_0(weights=None)
        model.fc = nn.Identity()
        return model

    class Gate(nn.Module):
        """OSNet's: one gate that all streams share."""

        def __init__(self, channels):
            super().__init__()
            self.fc1 = nn.Conv2d(channels, channels // 16, 1)
            self.fc2 = nn.Conv2d(channels // 16, channels, 1)

        def forward(self, x):
            return x * torch.sigmoid(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))

    def light(channels):
        return nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )

    class OmniScale(nn.Module):
        def __init__(self, inputs, outputs, instance):
            super().__init__()
            middle = outputs // 4
            self.conv1 = nn.Sequential(nn.Conv2d(inputs, middle, 1, bias=False), nn.BatchNorm2d(middle), nn.ReLU())
            self.streams = nn.ModuleList([nn.Sequential(*[light(middle) for _ in range(t)]) for t in range(1, 5)])
            self.gate = Gate(middle)
            self.conv3 = nn.Conv2d(middle, outputs, 1, bias=False)
            self.norm = nn.InstanceNorm2d(outputs, affine=True) if instance else nn.BatchNorm2d(outputs)
            self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

        def forward(self, x):
            y = self.conv1(x)
            y = sum(self.gate(stream(y)) for stream in self.streams)
            return F.relu(self.norm(self.conv3(y)) + self.shortcut(x))

    class OSNetAIN(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.InstanceNorm2d(64, affine=True), nn.ReLU())
            self.stage1 = nn.Sequential(OmniScale(64, 128, True), OmniScale(128, 128, False))
            self.stage2 = nn.Sequential(OmniScale(128, 192, True), OmniScale(192, 192, False))
            self.fc = nn.Sequential(nn.Linear(192, 128), nn.BatchNorm1d(128), nn.ReLU())

        def forward(self, x):
            x = F.avg_pool2d(self.stage1(F.max_pool2d(self.stem(x), 3, 2, 1)), 2)
            return self.fc(F.adaptive_avg_pool2d(self.stage2(x), 1).flatten(1))

    class LMBN(nn.Module):
        """The heads of the lightweight multi-branch network: whole, two halves, two runs of channels."""

        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(3, 32, 7, 4, 3), nn.BatchNorm2d(32), nn.ReLU(), OmniScale(32, 64, False), nn.AvgPool2d(2)
            )
            self.parts = nn.AdaptiveAvgPool2d((2, 1))
            self.shared = nn.Sequential(nn.Conv2d(32, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
            self.necks = nn.ModuleList([nn.BatchNorm1d(64) for _ in range(5)])

        def forward(self, x):
            x = self.body(x)
            whole = F.adaptive_max_pool2d(x, 1).flatten(1)
            mean = F.adaptive_avg_pool2d(x, 1)
            parts = self.parts(x)
            channels = [self.shared(mean[:, :32]), self.shared(mean[:, 32:])]
            features = [whole, parts[:, :, 0, 0], parts[:, :, 1, 0], *[c.flatten(1) for c in channels]]
            return torch.stack([neck(feature) for neck, feature in zip(self.necks, features)], 2).flatten(1)

    class PCB(nn.Module):
        """Six parts, each brought to fewer channels for itself, joined."""

        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(*list(torchvision.models.resnet18(weights=None).children())[:-2])
            self.pool = nn.AdaptiveAvgPool2d((4, 1))
            self.parts = nn.ModuleList([nn.Sequential(nn.Conv2d(512, 64, 1), nn.BatchNorm2d(64), nn.ReLU()) for _ in range(4)])

        def forward(self, x):
            x = self.pool(self.body(x))
            parts = [part(x[:, :, i : i + 1, :]).flatten(1) for i, part in enumerate(self.parts)]
            return torch.cat([F.normalize(part) for part in parts], 1)

    return {
        "ViT-S/16": of_timm("vit_small_patch16_224", img_size=(256, 128)),
        "DINOv2-S": of_timm("vit_small_patch14_dinov2", (252, 126), img_size=(252, 126)),
        "Swin-T": of_timm("swin_tiny_patch4_window7_224", (224, 112), img_size=(224, 112)),
        "ConvNeXt-T": of_timm("convnext_tiny"),
        "MobileNetV2": of_timm("mobilenetv2_100"),
        "MobileNetV3": of_timm("mobilenetv3_large_100"),
        "MobileNetV4": of_timm("mobilenetv4_conv_small"),
        "EfficientNet-B0": of_timm("efficientnet_b0"),
        "ShuffleNetV2": (256, 128, shufflenet),
        "SE-ResNet-50": of_timm("seresnet50"),
        "ResNeSt-50": of_timm("resnest50d"),
        "ResNeXt-50": of_timm("resnext50_32x4d"),
        "RegNetY-800MF": of_timm("regnety_008"),
        "GhostNet": of_timm("ghostnet_100"),
        "DenseNet-121": of_timm("densenet121"),
        "OSNet-AIN": (256, 128, OSNetAIN),
        "LMBN-n": (384, 128, LMBN),
        "PCB": (384, 128, PCB),
    }


def fill(model):
    """What starts as 0, 1 or next to nothing would hide mistakes: norms, biases, layer scales, tokens."""
    import torch

    random = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not tensor.is_floating_point():
                continue
            noise = torch.rand(tensor.shape, generator=random)
            if name.endswith("running_var") or (tensor.dim() == 1 and name.endswith(("weight", "gamma"))):
                tensor.copy_(0.5 + noise)
            elif tensor.dim() == 1 or name.endswith(("pos_embed", "cls_token", "relative_position_bias_table")):
                tensor.copy_(0.4 * noise - 0.2)


def export(model, size, exporter, opset, fixed, path):
    import torch

    example = torch.zeros(1 if fixed else 2, 3, *size)
    names = {"input_names": ["image"], "output_names": ["feature"], "opset_version": opset, "verbose": False}
    if exporter == "torchscript":
        axes = None if fixed else {"image": {0: "batch"}, "feature": {0: "batch"}}
        torch.onnx.export(model, (example,), path, dynamo=False, dynamic_axes=axes, **names)
    else:
        shapes = None if fixed else ({0: torch.export.Dim("batch", min=1, max=1024)},)
        torch.onnx.export(model, (example,), path, dynamo=True, external_data=False, dynamic_shapes=shapes, **names)


def expected(path, pictures, fixed):
    """onnxruntime's features of RGB at ImageNet's mean and deviation."""
    import numpy as np
    import onnxruntime

    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x = ((pictures / 255.0 - mean) / std).astype(np.float32).transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    batches = [x[i : i + 1] for i in range(len(x))] if fixed else [x]
    return np.concatenate([session.run(None, {"image": batch})[0] for batch in batches])


def check(reid, device, path, files, reference, folder):
    """The error, or the words of the refusal."""
    import numpy as np
    from safetensors.numpy import load_file

    converted, out = folder / "converted.safetensors", folder / "features.safetensors"
    for command in [
        [reid, "convert", path, converted],
        [reid, "extract", "--device", device, "--weights", converted, "--out", out, *files],
    ]:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return " ".join(done.stderr.split())
    found = load_file(out)["features"].astype(np.float64)
    if found.shape != reference.shape:
        return f"features of shape {found.shape}, not {reference.shape}"
    return float(np.abs(found - reference).max() / np.abs(reference).max())


def main():
    options = arguments()
    enter(options.environment)
    import numpy as np
    import torch
    from PIL import Image

    warnings.filterwarnings("ignore")
    random = np.random.default_rng(1)
    wanted = [name for name in options.only.split(",") if name]
    exports = [(*how, fixed) for how in EXPORTS for fixed in (True, False)]
    if options.quick:
        exports = [("torchscript", 17, False), ("dynamo", 18, True)]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        kept = Path(options.keep) if options.keep else folder
        kept.mkdir(parents=True, exist_ok=True)
        print("| network | export | batch |", " | ".join(options.device.split(",")), "|", flush=True)
        for name, (height, width, build) in networks().items():
            if wanted and name not in wanted:
                continue
            torch.manual_seed(1)
            model = build().eval()
            fill(model)
            # Low frequencies, as pictures of people have them.
            small = random.integers(0, 256, (IMAGES, 8, 4, 3), dtype=np.uint8)
            pictures = np.stack([np.asarray(Image.fromarray(p).resize((width, height), Image.BICUBIC)) for p in small])
            files = [folder / f"{i}.png" for i in range(IMAGES)]
            for file, picture in zip(files, pictures):
                Image.fromarray(picture).save(file)
            for exporter, opset, fixed in exports:
                words = f"{name.replace('/', '-')}-{exporter}{opset}-{'fixed' if fixed else 'open'}"
                path = kept / f"{words}.onnx"
                cells = []
                try:
                    if not path.exists():
                        export(model, (height, width), exporter, opset, fixed, path)
                    reference = expected(path, pictures, fixed)
                except Exception as error:  # The exporter's refusal is none of ours.
                    cells = [f"not exported: {type(error).__name__}"]
                    path.unlink(missing_ok=True)
                else:
                    for device in options.device.split(","):
                        result = check(options.reid, device, path, files, reference, folder)
                        wrong += not (isinstance(result, float) and result < TOLERANCE)
                        cells.append(f"{result:.1e}" if isinstance(result, float) else result)
                print(f"| {name} | {exporter} {opset} | {'1' if fixed else 'open'} |", " | ".join(cells), "|", flush=True)
                if not options.keep:
                    path.unlink(missing_ok=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
