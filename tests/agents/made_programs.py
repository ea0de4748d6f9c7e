"""Programs that are agents, for tests."""

import archgym

HONEST = """
import json, random, sys

start = json.loads(sys.stdin.readline())
rng = random.Random(start["seed"])


def value(p):
    if "values" in p:
        return rng.choice(p["values"])
    if p["kind"] == "integer":
        return rng.randrange(p["low"], p["high"] + 1, p["step"])
    if p["kind"] == "permutation":
        return ">".join(rng.sample(p["items"], len(p["items"])))
    return "x".join(["1"] * (p["slots"] - 1) + [str(p["n"])])


def design():
    return {p["name"]: value(p) for p in start["parameters"]}


def ask(designs):
    print(json.dumps({"designs": designs}))
    return json.loads(sys.stdin.readline())


"""
SEARCHES = "while ask([design() for _ in range(3)])['type'] != 'end':\n    pass\n"


def search(agent, *, budget=12, toy="Bowl", options=None, **arguments):
    return archgym.search(f"toy/{toy}-v0", agent, budget=budget, seed=1, agent_options=options, **arguments)
