"""Every agent answers bad input in one line that says what is allowed, or what to install."""

import json
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

from archgym.agent_listing import describe_agents
from archgym.registry import agent_class, agent_names
from archgym.testing import toys
from archgym_simulators import InputError, MissingExtra

WITHOUT_EXTRAS = """
import json, sys
import numpy as np
from archgym.registry import agent_class, agent_names
from archgym.testing import toys

for name in ("torch", "stable_baselines3", "sb3_contrib", "optuna", "cmaes", "smac", "pettingzoo", "sklearn", "scipy"):
    sys.modules[name] = None
said = {}
for name in agent_names():
    try:
        agent = agent_class(name)
        space = (toys.EffortBowl if agent.NEEDS_FIDELITY else toys.Bowl)().space
        agent.create(space, agent.Config(), np.random.default_rng(1), budget=10)
        said[name] = None
    except Exception as error:
        said[name] = [type(error).__name__, str(error)]
print(json.dumps(said))
"""


@pytest.mark.parametrize("name", agent_names())
def test_unknown_settings_and_values_out_of_range_are_refused_in_one_line(name: str) -> None:
    config = agent_class(name).Config
    with pytest.raises(InputError, match=r"unknown setting 'no_such_setting'.*; allowed: ") as refusal:
        config.from_options({"no_such_setting": 1})
    assert "\n" not in str(refusal.value)
    for field in fields(config):
        low, high, choices = (field.metadata.get(limit) for limit in ("low", "high", "choices"))
        kind = type(field.default)
        for beyond in (None if low is None else low - 1, None if high is None else high + 1):
            if beyond is not None and kind in (int, float):
                with pytest.raises(InputError, match=f"^{field.name} must be at least {low}") as refusal:
                    config.from_options({field.name: kind(beyond)})
                assert "\n" not in str(refusal.value)
        if choices:
            with pytest.raises(InputError, match=f"^{field.name} must be one of .*not 'no such choice'"):
                config.from_options({field.name: "no such choice"})


@pytest.mark.parametrize("name", agent_names())
def test_several_objectives_are_taken_or_refused_in_one_line(name: str) -> None:
    agent = agent_class(name)
    space = (toys.EffortBowl if agent.NEEDS_FIDELITY else toys.Bowl)().space
    refusal = ""
    try:
        agent.create(space, agent.Config(), np.random.default_rng(1), budget=10, n_objectives=2)
    except InputError as error:
        refusal = str(error)
    except MissingExtra as missing:
        pytest.skip(str(missing))
    assert not refusal or refusal.startswith(f"agent '{name}' takes one objective, not 2; ")
    assert "\n" not in refusal


def test_the_listing_names_the_extra_that_an_agent_needs() -> None:
    for entry in describe_agents():
        assert entry.extra == agent_class(entry.name).REQUIRES


def test_agents_say_in_one_line_what_to_install_where_their_extra_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_EXTRAS], capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    for name, answer in said.items():
        extra = agent_class(name).REQUIRES
        if not extra:
            assert answer is None, name
            continue
        kind, text = answer
        assert kind == "MissingExtra", name
        assert text.endswith(f"is not installed; run: pip install 'archgym[{extra}]'")
        assert "\n" not in text
    assert said["ippo"][1].startswith("pettingzoo")
    assert said["maskable_ppo"][1].startswith("sb3_contrib")
