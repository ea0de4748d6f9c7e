import re

import pytest

from archgym_simulators.dram.workloads import canonical_spec, workload
from archgym_simulators.errors import InputError


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("random:n=10000,seed=2@1.0", "random"),
        ("random@0.60", "random@0.6"),
        ("stride:stride=4096", "stride:4096"),
        ("stride:n=5,stride=4096", "stride:4096,n=5"),
        ("mixed:.5,n=3@2.5e-1", "mixed:0.5,n=3@0.25"),
        ("pointer-chase@0.025", "pointer-chase"),
        ("bursty@1", "bursty@1"),
    ],
)
def test_a_spec_has_one_canonical_spelling(spec, canonical):
    assert canonical_spec(spec) == canonical
    assert canonical_spec(canonical) == canonical
    assert workload(spec).name == canonical


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cloud-1", "unknown workload 'cloud-1'; allowed are stream, random, ...; did you mean 'cloud-1-like'?"),
        ("randm@0.6", "unknown workload 'randm@0.6'; ...; did you mean 'random'?"),
        ("", "unknown workload ''; allowed are stream"),
        ("random:sed=3", "'random:sed=3': unknown argument 'sed'; ... writes, n, seed; did you mean 'seed'?"),
        ("stride:8100", "stride=8100 is not allowed; allowed is a multiple of 64, 64..1099511627776"),
        ("zipf:1.2,3", "'3' is not KEY=VALUE; only the first argument may omit its key (exponent)"),
        ("zipf:", "empty argument; expected KEY=VALUE or exponent, a number 0..4"),
        ("zipf:1,", "empty argument"),
        ("random:n=5,n=6", "n is given twice"),
        ("stride:128,stride=64", "stride is given twice"),
        ("random:n=0", "n=0 is not allowed; allowed is a whole number 1..10000000"),
        ("random:n=-5", "n=-5 is not allowed"),
        ("random:n=1e3", "n=1e3 is not allowed"),
        ("random:n=٣", "n=٣ is not allowed"),
        ("random:n=", "n= is not allowed"),
        ("random:seed=9007199254740993", "seed=9007199254740993 is not allowed"),
        ("mixed:1.01", "writes=1.01 is not allowed; allowed is a number 0..1"),
        ("mixed:nan", "writes=nan is not allowed"),
        ("mixed:1e999", "writes=1e999 is not allowed"),
        ("stride:" + "9" * 5000, "is not allowed; allowed is a multiple of 64"),
        ("random@0", "rate @0 is not allowed; allowed is 1e-05..1 requests per player clock"),
        ("random@1.5", "rate @1.5 is not allowed"),
        ("random@-0.5", "rate @-0.5 is not allowed"),
        ("random@", "rate @ is not allowed"),
        ("random@0.5@0.6", "rate @0.5@0.6 is not allowed"),
        ("random:a\nb", r"writes=a\nb is not allowed"),
        ("random:n=10000000", "10000000 distinct lines are more than the device's 2097152"),
        ("dnn-layer:65536,c=65536", "the layer's tensors take 77530136576 bytes; the device has 134217728"),
        ("dnn-layer:q=2000,buffer=1", "buffer=1 KiB holds no tile of the layer; it needs 16"),
    ],
)
def test_a_wrong_spec_is_refused_in_one_line(spec, message):
    with pytest.raises(InputError) as caught:
        workload(spec, capacity_bytes=2**27)
    text = str(caught.value)
    assert "\n" not in text
    assert re.search(".*".join(re.escape(part) for part in message.split("...")), text), text


def test_unknown_rules_are_refused():
    with pytest.raises(InputError, match=r"unknown rules 'archgm'; .* did you mean 'archgym'\?"):
        workload("stream", rules="archgm")
