"""The tasks on mappings of layers to accelerators.

A mapping is made for a layer, so a task whose space follows its layer is judged on that layer; ``mapping-shared`` and
``mapping-dev-shared`` look for rules that suit several layers, and are judged on layers not seen. Layers to judge with
come from networks of the test split, those for tuning from the dev split. The best of ``mapping-small-edp`` is
certified; ``archgym audit TASK`` says how far random search stays behind it, and behind the best that was found.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

MAPPING = "archgym/Mapping-v0"
SMALL = "conv:16x1x1x4x3x1"
SHARED = "unet/up2b + llama3-8b-prefill/attn_k + efficientnet-b0/block4_2_expand"
SHARED_UNSEEN = "unet/down4b + dit-block/ffn_up + efficientnet-b0/block5_1_project"
DEV_SHARED = "vit-b/ffn_up + mnasnet/block2_1_expand + mnasnet/conv_stem"
DEV_SHARED_UNSEEN = "vit-b/attn_q + mnasnet/block4_2_project + vit-b/patches"

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="mapping-conv-edp",
        description="Map a 3 x 3 convolution of U-Net to an Eyeriss-like array for little energy and time.",
        env_id=MAPPING,
        workload="unet/up2b",
        judge_workload="unet/up2b",
        objectives=("energy-delay",),
        options={"hardware": "eyeriss-like"},
        budget=1000,
    ),
    Task(
        name="mapping-gemm-edp",
        description="Map a matrix product of Llama 3 to a Simba-like chip for little energy and time.",
        env_id=MAPPING,
        workload="llama3-8b-prefill/attn_k",
        judge_workload="llama3-8b-prefill/attn_k",
        objectives=("energy-delay",),
        options={"hardware": "simba-like"},
        budget=1000,
    ),
    Task(
        name="mapping-window-energy",
        description="Map a 5 x 5 depthwise convolution to PEs that pass inputs to their neighbours, for little energy.",
        env_id=MAPPING,
        workload="efficientnet-b0/block3_2_dw",
        judge_workload="efficientnet-b0/block3_2_dw",
        objectives=("energy",),
        options={"hardware": "shidiannao-like", "links": True},
        budget=1000,
    ),
    Task(
        name="mapping-stem-front",
        description="Trade time and energy of the first layer of EfficientNet against each other.",
        env_id=MAPPING,
        workload="efficientnet-b0/conv_stem",
        judge_workload="efficientnet-b0/conv_stem",
        objectives=("latency", "energy"),
        budget=1000,
        reference_point=(-1.0, -1.0),
    ),
    Task(
        name="mapping-small-edp",
        description="Map a small sliding window to a small array; the best of 490,624 mappings is known.",
        env_id=MAPPING,
        workload=SMALL,
        judge_workload=SMALL,
        objectives=("energy-delay",),
        options={"hardware": "miniature"},
    ),
    Task(
        name="mapping-shared",
        description="Find rules for tiles and loops that suit a convolution, a matrix product and a pointwise layer.",
        env_id=MAPPING,
        workload=SHARED,
        judge_workload=SHARED_UNSEEN,
        objectives=("energy-delay",),
        options={"space": "shared", "hardware": "simba-like"},
        budget=1000,
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    Task(
        name="mapping-dev-conv-edp",
        description="Map the patches of ViT to an Eyeriss-like array for little energy and time.",
        env_id=MAPPING,
        workload="vit-b/patches",
        judge_workload="vit-b/patches",
        objectives=("energy-delay",),
        options={"hardware": "eyeriss-like"},
        budget=1000,
        role="dev",
    ),
    Task(
        name="mapping-dev-shared",
        description="Find rules for tiles and loops that suit a matrix product, a pointwise layer and a stem.",
        env_id=MAPPING,
        workload=DEV_SHARED,
        judge_workload=DEV_SHARED_UNSEEN,
        objectives=("energy-delay",),
        options={"space": "shared"},
        budget=1000,
        role="dev",
    ),
)
