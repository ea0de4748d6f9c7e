"""The networks by name: what each is, what its spec accepts, and which split of workloads it belongs to."""

from __future__ import annotations

__all__ = ["NETWORKS", "Argument", "Network", "network_layers"]

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from archgym_simulators.layers import convolutional, mobile, transformer
from archgym_simulators.layers.layer import Layer

Values = Mapping[str, int]


@dataclass(frozen=True)
class Argument:
    """A whole number that a network's spec may set, as in ``bert-base:seq=128``."""

    name: str
    default: int
    high: int
    description: str


@dataclass(frozen=True)
class Network:
    """A network that can be named in a spec.

    Attributes:
        name: as typed.
        family: architectures that are alike; a family lies in one split of `archgym_simulators.layers.splits`.
        description: one sentence.
        arguments: what the spec may set; all start at 1.
        build: its layers in order, one by one or with repetitions.
    """

    name: str
    family: str
    description: str
    arguments: tuple[Argument, ...]
    build: Callable[[Values], Iterable[Layer]]


def network_layers(network: Network, values: Values) -> tuple[Layer, ...]:
    """All layers of a network in order; ``values`` override the defaults of its arguments."""
    defaults = {argument.name: argument.default for argument in network.arguments}
    return tuple(network.build({**defaults, **values}))


_BATCH = Argument("batch", 1, 4096, "inputs that are processed together")


def _seq(default: int, high: int = 2**20) -> Argument:
    return Argument("seq", default, high, "tokens of each sequence")


def _context(default: int) -> Argument:
    return Argument("context", default, 2**20, "tokens that each new token attends to, itself included")


_NETWORKS = (
    Network(
        "alexnet",
        "alexnet",
        "AlexNet as published, with two groups, 227 x 227 (Krizhevsky et al. 2012).",
        (_BATCH,),
        lambda v: convolutional.alexnet(batch=v["batch"]),
    ),
    Network(
        "alexnet-ungrouped",
        "alexnet",
        "AlexNet with every convolution dense, as many accelerator papers and ArchGym run it.",
        (_BATCH,),
        lambda v: convolutional.alexnet(batch=v["batch"], groups=1),
    ),
    Network(
        "vgg16",
        "vgg",
        "VGG-16, configuration D, 224 x 224 (Simonyan and Zisserman 2015).",
        (_BATCH,),
        lambda v: convolutional.vgg16(batch=v["batch"]),
    ),
    Network(
        "resnet18",
        "resnet",
        "ResNet-18, 224 x 224 (He et al. 2016).",
        (_BATCH,),
        lambda v: convolutional.resnet(batch=v["batch"], depths=(2, 2, 2, 2), bottleneck=False),
    ),
    Network(
        "resnet50",
        "resnet",
        "ResNet-50 version 1.5, 224 x 224: strides in the 3 x 3 convolutions, as in torchvision and MLPerf.",
        (_BATCH,),
        lambda v: convolutional.resnet(batch=v["batch"], depths=(3, 4, 6, 3), bottleneck=True),
    ),
    Network(
        "resnet50-v1",
        "resnet",
        "ResNet-50 as published, 224 x 224: strides in the first 1 x 1 convolutions (He et al. 2016).",
        (_BATCH,),
        lambda v: convolutional.resnet(batch=v["batch"], depths=(3, 4, 6, 3), bottleneck=True, stride_in_3x3=False),
    ),
    Network(
        "mobilenet-v2",
        "mobilenet",
        "MobileNet-V2, width 1.0, 224 x 224 (Sandler et al. 2018).",
        (_BATCH,),
        lambda v: mobile.mobilenet_v2(batch=v["batch"]),
    ),
    Network(
        "efficientnet-b0",
        "efficientnet",
        "EfficientNet-B0, 224 x 224, with squeeze-and-excitation (Tan and Le 2019).",
        (_BATCH,),
        lambda v: mobile.efficientnet_b0(batch=v["batch"]),
    ),
    Network(
        "mnasnet",
        "mnasnet",
        "MnasNet-A1, 224 x 224, with squeeze-and-excitation (Tan et al. 2019).",
        (_BATCH,),
        lambda v: mobile.mnasnet_a1(batch=v["batch"]),
    ),
    Network(
        "mnasnet-b1",
        "mnasnet",
        "MnasNet-B1, 224 x 224, without squeeze-and-excitation (Tan et al. 2019).",
        (_BATCH,),
        lambda v: mobile.mnasnet_b1(batch=v["batch"]),
    ),
    Network(
        "bert-base",
        "bert",
        "BERT-base, encoder and pooler (Devlin et al. 2019).",
        (_seq(384), _BATCH),
        lambda v: transformer.bert_base(batch=v["batch"], seq=v["seq"]),
    ),
    Network(
        "gpt2",
        "gpt",
        "GPT-2, the model of 124 million parameters, all tokens at once (Radford et al. 2019).",
        (_seq(1024), _BATCH),
        lambda v: transformer.gpt2(batch=v["batch"], seq=v["seq"]),
    ),
    Network(
        "llama3-8b-prefill",
        "llama",
        "Llama 3 8B reading a prompt; grouped-query attention (arXiv 2407.21783).",
        (_seq(2048), _BATCH),
        lambda v: transformer.llama3_8b(batch=v["batch"], tokens=v["seq"], context=v["seq"]),
    ),
    Network(
        "llama3-8b-decode",
        "llama",
        "Llama 3 8B writing one token of each of a batch of sequences.",
        (_context(2048), _BATCH),
        lambda v: transformer.llama3_8b(batch=v["batch"], tokens=1, context=v["context"]),
    ),
    Network(
        "llama3-8b-long",
        "llama",
        "Llama 3 8B reading the last part of a long prompt, 131,072 tokens as Llama 3.1 allows; mostly attention.",
        (_context(131_072), _seq(2048), _BATCH),
        lambda v: transformer.llama3_8b(batch=v["batch"], tokens=v["seq"], context=v["context"]),
    ),
    Network(
        "mixtral-moe",
        "mixtral",
        "The mixture of experts of one Mixtral 8x7B layer, two of eight, evenly routed (arXiv 2401.04088).",
        (_seq(512), _BATCH),
        lambda v: transformer.mixtral_moe(batch=v["batch"], tokens=v["seq"]),
    ),
    Network(
        "vit-b",
        "vit",
        "ViT-B/16 at 224 x 224 (Dosovitskiy et al. 2021).",
        (_BATCH,),
        lambda v: transformer.vit_b(batch=v["batch"]),
    ),
    Network(
        "dit-block",
        "dit",
        "One block of DiT-XL/2, adaLN-Zero, for a 256 x 256 image (Peebles and Xie 2023).",
        (_seq(256), _BATCH),
        lambda v: transformer.dit_block(batch=v["batch"], tokens=v["seq"]),
    ),
    Network(
        "dlrm",
        "dlrm",
        "DLRM as in MLPerf on Criteo Terabyte: both MLPs and the interaction (Naumov et al. 2019).",
        (Argument("batch", 2048, 2**20, "samples that are processed together"),),
        lambda v: transformer.dlrm(batch=v["batch"]),
    ),
    Network(
        "unet",
        "unet",
        "U-Net as published, 572 x 572, no padding (Ronneberger et al. 2015).",
        (_BATCH,),
        lambda v: convolutional.unet(batch=v["batch"]),
    ),
)

NETWORKS: dict[str, Network] = {network.name: network for network in _NETWORKS}
