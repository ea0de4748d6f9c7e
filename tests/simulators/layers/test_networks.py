"""Networks against published totals: multiply-accumulates and weights, each with its source.

Those of ArchGym's lists (AlexNet without groups, ResNet-50 4.09e9, EfficientNet 3.9e8) were read there; the others are
quoted from memory of the source named. ``test_closed_forms`` needs no memory: most of the networks, from their tables.
"""

from __future__ import annotations

import pytest

from archgym_simulators.layers.catalogue import NETWORKS, network_layers
from archgym_simulators.layers.layer import unique_layers
from archgym_simulators.layers.workloads import workload


def macs(spec):
    return workload(spec).total_macs


def weights(spec):
    return sum(layer.weight_words * layer.repeat for layer in workload(spec).layers if layer.kind != "attention")


# Relative tolerance: half of the last printed digit, unless a comment says what else the source counts.
MACS = [
    # Sze et al., Proceedings of the IEEE 2017, table II: 666 M of convolutions + 58.6 M of fully connected layers.
    ("alexnet", 724e6, 0.5 / 724),
    ("alexnet/conv*", 666e6, 0.5 / 666),
    ("alexnet/fc*", 58.6e6, 0.05 / 58.6),
    # ArchGym's AlexNet: the five convolutions without groups, 1.077e9.
    ("alexnet-ungrouped/conv*", 1.077e9, 0.5 / 1077),
    # The same table II: 15.3 G of convolutions + 124 M of fully connected layers; torchvision prints 15.47 GFLOPS.
    ("vgg16", 15.47e9, 0.5 / 1547),
    ("vgg16/conv*", 15.3e9, 0.5 / 153),
    ("vgg16/fc*", 124e6, 0.5 / 124),
    # torchvision's table of classification weights, "GFLOPS" (multiply-accumulates).
    ("resnet18", 1.81e9, 0.5 / 181),
    ("resnet50", 4.09e9, 0.5 / 409),
    ("vit-b", 17.56e9, 0.5 / 1756),
    # Sze et al., table II: 3.86 G of convolutions, 2 M fully connected.
    ("resnet50-v1/conv*", 3.86e9, 0.5 / 386),
    # Sandler et al. 2018, table 4: 300 M multiply-adds, without the classifier's 1.28 M in some counts.
    ("mobilenet-v2", 300e6, 1.0 / 300),
    # Tan and Le 2019, table 2: 0.39 B.
    ("efficientnet-b0", 0.39e9, 0.5 / 39),
    # Tan et al. 2019, table 1: 312 M (A1); torchvision prints 0.31 GFLOPS for B1.
    ("mnasnet", 312e6, 0.5 / 312),
    ("mnasnet-b1", 0.31e9, 0.5 / 31),
    # Sun et al. 2020 (MobileBERT), table 4: 22.5 B FLOPs at 128 tokens, two a MAC; it also counts softmax and norms.
    ("bert-base:seq=128", 22.5e9 / 2, 0.01),
    # nanoGPT's transformer_sizing notebook: 291,648,307,200 forward FLOPs at 1,024 tokens, two a MAC.
    ("gpt2", 291_648_307_200 / 2, 0.0),
    # Peebles and Xie 2023, table 4: DiT-XL/2 has 118.64 Gflops (MACs) in 28 blocks; embeddings and head are 0.04.
    ("dit-block", 118.64e9 / 28, 0.001),
]

WEIGHTS = [
    # Parameters of torchvision's models, less biases and batch norms, which are no matrix.
    ("vgg16", 138_357_544 - 13_416, 0.0),
    ("resnet18", 11_689_512 - 9_600 - 1_000, 0.0),
    ("resnet50", 25_557_032 - 53_120 - 1_000, 0.0),
    ("mobilenet-v2", 3_504_872 - 34_112 - 1_000, 0.0),
    # Krizhevsky et al. 2012: 60 million parameters; 60,965,224 in the usual count, 10,568 of them biases.
    ("alexnet", 60_965_224 - 10_568, 0.0),
    # torchvision, in millions: 5.29 and 4.38; biases and norms are below 1 % of these.
    ("efficientnet-b0", 5.29e6, 0.012),
    ("mnasnet-b1", 4.38e6, 0.012),
    # Tan et al. 2019, table 1: 3.9 M parameters, norms included.
    ("mnasnet", 3.9e6, 0.015),
    # Devlin et al. 2019: 110 M, of which 23.8 M are embeddings (30,522 + 512 + 2 rows of 768); biases and norms 0.1 M.
    ("bert-base", 109_482_240 - 31_036 * 768, 0.002),
    # 124,439,808 parameters, the logits sharing the token embedding; 1,024 positions, biases and norms are no matrix.
    ("gpt2", 124_439_808 - 1_024 * 768, 0.001),
    # 8,030,261,248 parameters: less the token embedding, and 65 norms of 4,096.
    ("llama3-8b-prefill", 8_030_261_248 - 128_256 * 4_096 - 65 * 4_096, 0.0),
    # Ronneberger et al. 2015 in its usual counts: 31.03 M with biases.
    ("unet", 31.03e6, 0.001),
    # Dosovitskiy et al. 2021, table 1: 86 M.
    ("vit-b", 86e6, 0.5 / 86),
]


@pytest.mark.parametrize(("spec", "published", "tolerance"), MACS)
def test_multiply_accumulates_are_those_published(spec, published, tolerance):
    assert macs(spec) == pytest.approx(published, rel=tolerance, abs=0)


@pytest.mark.parametrize(("spec", "published", "tolerance"), WEIGHTS)
def test_weights_are_those_published(spec, published, tolerance):
    assert weights(spec) == pytest.approx(published, rel=tolerance, abs=0)


def test_mixtral_has_its_published_parameters_in_all_and_per_token():
    # Jiang et al. 2024: 47 B parameters of which 13 B are active; 46.7 B and 12.9 B in the announcement.
    experts = weights("mixtral-moe/expert_*")
    rest = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 8 * 4096) + 2 * 32000 * 4096
    assert 32 * experts + rest == pytest.approx(46.7e9, rel=0.05 / 46.7)
    assert 32 * experts / 4 + rest == pytest.approx(12.9e9, rel=0.05 / 12.9)
    assert macs("mixtral-moe:seq=4/expert_*") == 4 * experts / 4


def test_every_parameter_of_llama_is_multiplied_once_a_token_when_decoding():
    context = 4096
    attention = 32 * 2 * context * 4096
    assert macs(f"llama3-8b-decode:context={context},batch=1") == 7_504_658_432 + attention


def test_a_prompt_costs_as_much_as_its_tokens_except_for_the_logits():
    tokens, head = 64, 128_256 * 4096
    one_by_one = tokens * macs(f"llama3-8b-decode:context={tokens}")
    assert macs(f"llama3-8b-prefill:seq={tokens}") == one_by_one - (tokens - 1) * head


def test_grouped_query_attention_reads_keys_once_for_four_heads():
    scores = {layer.name: layer for layer in network_layers(NETWORKS["llama3-8b-decode"], {"context": 100})}[
        "attn_scores"
    ]
    assert scores.weight_words == 8 * 100 * 128
    assert scores.input_words == 32 * 128
    assert scores.macs == 32 * 100 * 128


def test_dlrm_has_the_layers_of_mlperf():
    # github.com/mlcommons/training, recommendation: bottom 13-512-256-128, top 479-1024-1024-512-256-1.
    widths = [(13, 512), (512, 256), (256, 128), (479, 1024), (1024, 1024), (1024, 512), (512, 256), (256, 1)]
    assert weights("dlrm") == sum(a * b for a, b in widths)
    assert macs("dlrm:batch=1") == weights("dlrm") + 27 * 27 * 128


def test_unet_shrinks_to_the_published_image():
    layers = {layer.name: layer for layer in network_layers(NETWORKS["unet"], {})}
    assert len(layers) == 23  # "in total the network has 23 convolutional layers"
    assert layers["down5b"].p == 28
    assert layers["classes"].p == layers["classes"].q == 388


@pytest.mark.parametrize("name", NETWORKS)
def test_layer_names_are_unique_and_merging_keeps_the_work(name):
    layers = network_layers(NETWORKS[name], {})
    assert len({layer.name for layer in layers}) == len(layers)
    merged = unique_layers(layers)
    assert len({layer.shape for layer in merged}) == len(merged)
    assert sum(layer.total_macs for layer in merged) == sum(layer.total_macs for layer in layers)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_multiplies_the_work_and_not_the_weights(name):
    default = next(a.default for a in NETWORKS[name].arguments if a.name == "batch")
    assert macs(f"{name}:batch={3 * default}") == 3 * macs(name)
    assert weights(f"{name}:batch={3 * default}") == weights(name)


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "resnet50", "resnet50-v1", "mobilenet-v2", "mnasnet", "unet"])
def test_a_layer_takes_the_channels_that_some_layer_makes(name):
    made = {3, 1}
    for layer in network_layers(NETWORKS[name], {}):
        channels = layer.c * layer.groups
        if layer.kind != "gemm":
            assert channels in made or channels // 2 in made, layer
        made |= {layer.k * layer.groups, layer.k * layer.groups // 4}
