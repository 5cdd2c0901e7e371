#!/usr/bin/env python3
"""A Modbus server of another make, with the registers of a profile, each with a content that is known to the test.

Usage: pymodbus_server.py UNIT tcp PORT | rtu DEVICE [filled] < registers.json
stdin has the registers as `sunmill inverter profiles show NAME --json` prints them, each with its "content" (words in the order of
its addresses). "ready" is printed when it can be asked. An address without a register is refused with exception 2, or if "filled" reads 0.
"""

import asyncio
import json
import sys

from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def block(registers, table):
    words = {}
    for register in registers:
        if register["table"] == table:
            words.update(zip(register["addresses"], register["content"]))
    if words and "filled" in sys.argv:
        words = {address: words.get(address, 0) for address in range(min(words), max(words) + 1)}
    runs = []
    for address in sorted(words):
        if runs and runs[-1][0] + len(runs[-1][1]) == address:
            runs[-1][1].append(words[address])
        else:
            runs.append((address, [words[address]]))
    data = [SimData(start, values=run, datatype=DataType.REGISTERS) for start, run in runs]
    return data or [SimData(65535, datatype=DataType.REGISTERS)]


async def main():
    unit, kind, place = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    registers = json.load(sys.stdin)
    bits = [SimData(65535, values=[False] * 16, datatype=DataType.BITS)]
    device = SimDevice(unit, simdata=(bits, bits, block(registers, "holding"), block(registers, "input")))
    if kind == "tcp":
        server = ModbusTcpServer(device, address=("127.0.0.1", int(place)))
    else:
        server = ModbusSerialServer(device, port=place, baudrate=9600)
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
