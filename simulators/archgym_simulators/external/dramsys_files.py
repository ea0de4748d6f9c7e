"""Configuration files of DRAMSys 4.0, after the tables of its README."""

from __future__ import annotations

__all__ = ["DramSysSystem", "stl_text", "system_of_device", "system_of_files", "write_files"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from archgym_simulators.dram.device import Device, address_map, device, device_names
from archgym_simulators.dram.trace import Trace
from archgym_simulators.errors import InputError
from archgym_simulators.space import Design

CONTROLLER_KEYS = {
    "page_policy": "PagePolicy",
    "scheduler": "Scheduler",
    "scheduler_buffer": "SchedulerBuffer",
    "request_buffer_size": "RequestBufferSize",
    "response_queue": "RespQueue",
    "refresh_policy": "RefreshPolicy",
    "refresh_max_postponed": "RefreshMaxPostponed",
    "refresh_max_pulledin": "RefreshMaxPulledin",
    "arbiter": "Arbiter",
    "max_active_transactions": "MaxActiveTransactions",
}
"""Parameters of the DRAM family by their names in ``mcconfig``."""
_MAP_KEYS = {
    "byte": "BYTE_BIT",
    "column": "COLUMN_BIT",
    "bank_group": "BANKGROUP_BIT",
    "bank": "BANK_BIT",
    "rank": "RANK_BIT",
    "channel": "CHANNEL_BIT",
    "row": "ROW_BIT",
}
_DDR3_TIMING = """
    AL CCD CKE CKESR CL DQSCK FAW RAS RC RCD REFI RFC RL RP RRD RTP WL WR WTR XP XPDLL XS XSDLL
    ACTPDEN PRPDEN REFPDEN RTRS
"""
_SIMULATION = {
    "SimulationName": "archgym",
    "Debug": False,
    "DatabaseRecording": False,
    "PowerAnalysis": True,
    "EnableWindowing": False,
    "WindowSize": 1000,
    "ThermalSimulation": False,
    "SimulationProgressBar": False,
    "CheckTLM2Protocol": False,
    "ECCControllerMode": "Disabled",
    "UseMalloc": False,
    "AddressOffset": 0,
    "ErrorCSVFile": "",
    "ErrorChipSeed": 42,
    "StoreMode": "NoStorage",
}
_THERMAL = {
    "TemperatureScale": "Celsius",
    "StaticTemperatureDefaultValue": 89,
    "ThermalSimPeriod": 100,
    "ThermalSimUnit": "us",
    "PowerInfoFile": "powerInfo.json",
    "IceServerIp": "127.0.0.1",
    "IceServerPort": 11880,
    "SimPeriodAdjustFactor": 10,
    "NPowStableCyclesToIncreasePeriod": 5,
    "GenerateTemperatureMap": False,
    "GeneratePowerMap": False,
}


@dataclass(frozen=True)
class DramSysSystem:
    """A device and its address map as DRAMSys reads them.

    Attributes:
        memspec: content of the memory specification.
        mapping: content of the address mapping.
        clock_mhz: command clock; the trace player runs at it.
        capacity_bytes: of the whole memory.
    """

    memspec: Mapping[str, Any]
    mapping: Mapping[str, Any]
    clock_mhz: float
    capacity_bytes: int


def system_of_device(name: str) -> DramSysSystem:
    """The system of a DDR3 device of the DRAM family with its default address map.

    Raises:
        InputError: unknown, or a device of which DRAMSys needs figures that the family does not have.
    """
    chosen = device(name)
    if not _is_writable(chosen):
        able = [known for known in device_names() if _is_writable(device(known))]
        raise InputError(
            f"device {name!r}: a memory specification for DRAMSys is written for {', '.join(able)} only; "
            "for others give the options memspec and address_map"
        )
    fields = address_map(chosen.default_map, chosen).fields
    mapping = {_MAP_KEYS[field]: list(range(low, high + 1)) for field, (low, high) in fields.items()}
    return DramSysSystem(_ddr3_memspec(chosen), {"CONGEN": mapping}, chosen.clock_mhz, chosen.capacity_bytes)


def system_of_files(memspec: str, mapping: str) -> DramSysSystem:
    """The system of two JSON files made for DRAMSys.

    Raises:
        InputError: unreadable, or a field is missing.
    """
    specification = _read_json(memspec)
    try:
        inside = specification["memspec"]
        shape, clock = inside["memarchitecturespec"], float(inside["memtimingspec"]["clkMhz"])
        counts = [shape[key] for key in ("nbrOfBanks", "nbrOfRows", "nbrOfColumns", "width")]
        counts += [shape.get(key, 1) for key in ("nbrOfRanks", "nbrOfChannels", "nbrOfDevicesOnDIMM", "nbrOfDevices")]
        return DramSysSystem(specification, _read_json(mapping), clock, prod(int(count) for count in counts) // 8)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{memspec!r} is no memory specification of DRAMSys: {error} is missing or wrong") from error


def stl_text(trace: Trace) -> str:
    """The trace in the player's format."""
    requests = zip(trace.cycle.tolist(), trace.is_write.tolist(), trace.address.tolist(), strict=True)
    return "".join(f"{cycle}:\t{'write' if write else 'read'}\t0x{address:x}\n" for cycle, write, address in requests)


def write_files(folder: Path, system: DramSysSystem, design: Design, trace: str, *, relative: bool) -> Path:
    """Write everything that a run reads; returns the simulation file. ``folder`` is also the resource folder."""
    controller = {key: design[name] for name, key in CONTROLLER_KEYS.items()}
    controller |= {"CmdMux": "Oldest", "PowerDownPolicy": "NoPowerDown", "RefreshManagement": False}
    player = "trace.rstl" if relative else "trace.stl"
    simulation = {
        "simulationid": "archgym",
        "simconfig": "archgym.json",
        "thermalconfig": "archgym.json",
        "memspec": "archgym.json",
        "addressmapping": "archgym.json",
        "mcconfig": "archgym.json",
        "tracesetup": [{"clkMhz": system.clock_mhz, "name": player}],
    }
    contents: dict[str, Any] = {
        "configs/simulator": {"simconfig": _SIMULATION},
        "configs/thermalsim": {"thermalsimconfig": _THERMAL},
        "configs/memspecs": system.memspec,
        "configs/amconfigs": system.mapping,
        "configs/mcconfigs": {"mcconfig": controller},
        "simulations": {"simulation": simulation},
    }
    for place, content in contents.items():
        (folder / place).mkdir(parents=True)
        (folder / place / "archgym.json").write_text(json.dumps(content, indent=1))
    (folder / "traces").mkdir()
    (folder / "traces" / player).write_text(trace)
    return folder / "simulations" / "archgym.json"


def _is_writable(chosen: Device) -> bool:
    known = {name.upper() for name in chosen.timing} | {"CL"}
    return chosen.standard == "DDR3" and bool(chosen.power) and known.issuperset(_DDR3_TIMING.split())


def _ddr3_memspec(chosen: Device) -> dict[str, Any]:
    cycles = {name.upper(): value for name, value in chosen.timing.items()}
    cycles["CL"] = cycles["RL"] - cycles["AL"]
    shape = {
        "burstLength": chosen.burst_length,
        "dataRate": chosen.data_rate,
        "nbrOfBanks": chosen.banks,
        "nbrOfColumns": chosen.columns,
        "nbrOfRanks": chosen.ranks,
        "nbrOfRows": chosen.rows,
        "width": chosen.width_bits,
        "nbrOfDevicesOnDIMM": chosen.devices,
        "nbrOfChannels": 1,
    }
    specification = {
        "memarchitecturespec": shape,
        "memoryId": chosen.name,
        "memoryType": "DDR3",
        "mempowerspec": {name if name == "vdd" else f"idd{name[1:]}": value for name, value in chosen.power.items()},
        "memtimingspec": {**{name: cycles[name] for name in _DDR3_TIMING.split()}, "clkMhz": chosen.clock_mhz},
    }
    return {"memspec": specification}


def _read_json(path: str) -> dict[str, Any]:
    try:
        loaded = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path!r}: {error}") from error
    if not isinstance(loaded, dict):
        raise InputError(f"cannot read {path!r}: expected a JSON object")
    return loaded
