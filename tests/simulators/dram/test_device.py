import numpy as np
import pytest

from archgym_simulators.dram.device import AddressMap, address_map, address_map_names, device, device_names
from archgym_simulators.dram.standards import timing_tables
from archgym_simulators.dram.timing import ACT, PRE, RD, RDA, WR
from archgym_simulators.errors import InputError

SHORT_NAMES = {
    "DDR3-1600": "MICRON_1Gb_DDR3-1600_8bit_G",
    "DDR4-2400": "JEDEC_4Gb_DDR4-2400_8bit_A",
    "LPDDR4-3200": "JEDEC_8Gb_LPDDR4-3200_16bit",
    "HBM2": "HBM2",
}


@pytest.mark.parametrize(("short", "full"), SHORT_NAMES.items())
def test_short_and_full_names_give_the_same_device(short, full):
    assert device(short) is device(full)
    assert {short, full} <= set(device_names())


@pytest.mark.parametrize("name", device_names())
def test_every_device_is_consistent(name):
    memory = device(name)
    timing_tables(memory)
    assert memory.source
    assert memory.banks % memory.bank_groups == 0
    for map_name in ("row-bank-column", "bank-row-column", memory.default_map):
        assert 2 ** address_map(map_name, memory).bits == memory.capacity_bytes
    assert all(value >= 0 for value in memory.timing.values())
    if memory.power:
        assert memory.power["i4r"] >= memory.power["i3n"] >= 0


def test_archgym_device():
    memory = device("DDR3-1600")
    assert (memory.period_ps, memory.access_bytes, memory.capacity_bytes) == (1250, 64, 2**30)
    assert memory.default_map == "am_ddr3_8x1Gbx8_dimm_p1KB_rbc"


def test_unknown_names_are_refused_with_the_nearest_match():
    with pytest.raises(InputError, match=r"unknown device 'DDR3-1601'; allowed are .*did you mean 'DDR3-1600'"):
        device("DDR3-1601")
    with pytest.raises(InputError, match=r"unknown address map 'row-bank-colum'.*did you mean 'row-bank-column'"):
        address_map("row-bank-colum", device("DDR3-1600"))


def test_a_map_of_another_organisation_is_refused():
    with pytest.raises(InputError, match=r"has 0 bits for bank_group, device '.*DDR4.*' needs 2"):
        address_map("am_ddr3_8x1Gbx8_dimm_p1KB_rbc", device("DDR4-2400"))
    assert "am_hbm2_8Gb_pc_brc" in address_map_names()


@pytest.mark.parametrize("name", ["DDR3-1600", "DDR4-2400", "HBM2"])
def test_a_map_is_a_bijection(name):
    memory = device(name)
    mapping = address_map("row-bank-column", memory)
    address = np.random.default_rng(0).integers(0, memory.capacity_bytes, 2000)
    rebuilt = np.zeros_like(address)
    for field, (low, _) in mapping.fields.items():
        rebuilt |= mapping.extract(address, field) << low
    np.testing.assert_array_equal(rebuilt, address)
    bank = mapping.bank_index(address, memory)
    assert set(bank) == set(range(memory.banks * memory.ranks))


def test_bits_above_the_map_are_ignored():
    memory = device("DDR3-1600")
    mapping = address_map(memory.default_map, memory)
    low = np.array([0x12345678])
    for field in mapping.fields:
        np.testing.assert_array_equal(mapping.extract(low, field), mapping.extract(low + 2**40, field))


def test_a_map_reads_the_bits_that_it_names():
    tiny = AddressMap("tiny", {"byte": (0, 2), "bank": (3, 4), "row": (5, 9)})
    assert tiny.extract(np.array([0b1010110111]), "bank")[0] == 0b10
    assert tiny.extract(np.array([0b1010110111]), "row")[0] == 0b10101
    assert tiny.extract(np.array([0b1010110111]), "channel")[0] == 0


def test_ddr3_distances_follow_the_datasheet():
    t, tables = device("DDR3-1600").timing, timing_tables(device("DDR3-1600"))
    assert tables.same_bank[ACT, RD] == t["rcd"]
    assert tables.same_bank[ACT, PRE] == t["ras"]
    assert tables.same_bank[RDA, ACT] == t["rtp"] + t["rp"]
    assert tables.relations[0, RD, WR] == t["rl"] + 4 + 2 - t["wl"]
    assert tables.relations[0, WR, RD] == t["wl"] + 4 + t["wtr"]
    assert tables.relations[0, ACT, ACT] == t["rrd"]


def test_bank_groups_space_commands_more_than_the_rank():
    t, tables = device("DDR4-2400").timing, timing_tables(device("DDR4-2400"))
    assert (tables.relations[0, RD, RD], tables.relations[1, RD, RD]) == (t["ccd_l"], t["ccd_s"])
    assert (tables.relations[0, ACT, ACT], tables.relations[1, ACT, ACT]) == (t["rrd_l"], t["rrd_s"])


def test_pseudo_channels_share_command_buses_only():
    tables = timing_tables(device("HBM2"))
    assert tables.relations[2, RD, RD] == tables.relations[2, RD, WR] == 1
    assert tables.relations[2, ACT, PRE] == 2
    assert tables.relations[2, ACT, RD] < 0
