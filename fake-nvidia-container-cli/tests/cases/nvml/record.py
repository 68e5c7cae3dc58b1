#!/usr/bin/env python3
"""Records what NVML answers on a machine, as a case of this folder: record.py ANSWERS [LIBRARY]

Needs nvidia-ml-py, whose getters are called one by one and traced where they reach the library. Nothing is set. Each
call runs in a process of its own, so that one that crashes costs only itself. UUID, serial number and PDI of the first GPU
are replaced by those that `machine.toml` of the case gives it too.

A line of ANSWERS is a call: [NAME, [ARGUMENT, ...], CODE, [BUFFER AFTER IT, ...]]. An argument is a number, "gpu0" for a
handle, {"text": ...}, or {"size": BYTES, "hex": BYTES BEFORE IT} for memory; zeros at an end are left out. Of
nvmlDeviceGetFieldValues a line is ["field", [ID, SCOPE], CODE, FORM, VALUE], of nvmlErrorString ["words", [CODE], 0, TEXT].
All is asked twice, and what differs the second time is null.
"""
import ctypes as C, inspect, json, os, re, select, struct, sys, time

if len(sys.argv) > 2:
    load = C.CDLL
    C.CDLL = lambda name, *rest: load(sys.argv[2])
import pynvml as N
if len(sys.argv) > 2:
    N.CDLL = C.CDLL

READS = re.compile(r"nvmlDevice(Get|Is|On|Query)|nvmlSystemGet|nvmlUnitGetCount|nvmlGet(Vgpu|Excluded)")
# Takes no handle of a device, or writes to memory that is not in its arguments.
LEFT_OUT = {"nvmlDeviceGetMemoryLimits_v1", "nvmlDeviceGetNvLinkTelemetrySamples_v1", "nvmlDeviceGetVgpuSchedulerState_v2"}
WIDTH = 4096

lib, handles, hidden, lines = None, {}, [], []


def child(question, limit=10):
    """The answer of a question that is asked in a forked process; None if that dies."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            data = json.dumps(question()).encode()
            while data:
                data = data[os.write(write, data):]
        finally:
            os._exit(0)
    os.close(write)
    data, end = b"", time.time() + limit
    while select.select([read], [], [], max(0, end - time.time()))[0]:
        part = os.read(read, 1 << 16)
        if not part:
            break
        data += part
    else:
        os.kill(pid, 9)
    os.close(read)
    os.waitpid(pid, 0)
    try:
        return json.loads(data)
    except ValueError:
        return None


def hide(data):
    for own, other in hidden:
        data = data.replace(own, other)
    return data


def shown(data):
    return hide(data).rstrip(b"\0").hex()


def place(argument):
    """The memory that an argument points to."""
    if hasattr(argument, "_obj"):
        return argument._obj
    return argument if isinstance(argument, (C.Array, C.Structure)) else None


def value(argument):
    """A number, a handle or a text."""
    if argument is None:
        return 0
    if isinstance(argument, bytes):
        return {"text": hide(argument).decode("latin1")}
    if isinstance(argument, C._Pointer):
        argument = C.cast(argument, C.c_void_p)
    number = getattr(argument, "value", argument)
    if isinstance(number, bytes):
        return {"text": hide(number).decode("latin1")}
    return handles.get(number, number or 0)


def traced(name, real, arguments):
    told, memories = [], []
    for argument in arguments:
        memory = place(argument)
        if memory is None:
            told.append(value(argument))
        else:
            memories.append(memory)
            told.append({"size": C.sizeof(memory), "hex": shown(C.string_at(C.addressof(memory), C.sizeof(memory)))})
    # What a test calls with fewer arguments has zeros for the others, too.
    code = real(*arguments, *(None,) * (6 - len(arguments)))
    after = []
    for memory in memories:
        data = C.string_at(C.addressof(memory), C.sizeof(memory))
        handle = handles.get(struct.unpack("Q", data)[0]) if len(data) == 8 else None
        after.append(handle or shown(data))
    lines.append([name, told, code, after])
    return code


def trace():
    real = N._nvmlGetFunctionPointer

    def pointer(name):
        function = real(name)
        return lambda *arguments: traced(name, function, arguments)

    N._nvmlGetFunctionPointer = pointer


def asked(function, *arguments):
    """The lines of what a getter calls."""
    def question():
        lines.clear()
        try:
            function(*arguments)
        except Exception:
            pass
        return lines
    return [line for line in child(question) or []]


def raw(name, *arguments):
    def question():
        lines.clear()
        function = getattr(lib, name)
        function.restype = C.c_uint
        traced(name, function, arguments)
        return lines
    return child(question) or []


def signatures(handle):
    """Each getter with the arguments that it is tried with."""
    for name, function in sorted(vars(N).items()):
        if not READS.match(name) or not callable(function) or inspect.isclass(function) or name in LEFT_OUT:
            continue
        needed = [p for p in inspect.signature(function).parameters.values() if p.default is inspect.Parameter.empty]
        names = [p.name.lower() for p in needed]
        if name in ("nvmlDeviceGetFieldValues", "nvmlDeviceGetSamples") or len(needed) > 4:
            continue
        if not needed:
            yield function, ()
            continue
        if name.startswith("nvmlDeviceGetHandleBy") or not ("handle" in names[0] or "device" in names[0]):
            continue
        two = len(names) > 1 and ("handle" in names[1] or "device" in names[1] and "mig" not in names[1])
        rest = len(needed) - (2 if two else 1)
        first = (handle, handle) if two else (handle,)
        bound = {0: 1, 1: 24, 2: 6, 3: 3}[rest]
        for at in range(bound ** rest):
            yield function, first + tuple(at // bound ** place % bound for place in range(rest))


def structures():
    """Structures of each version with a function that fills them."""
    for name in sorted(n for n in dir(N) if re.fullmatch(r"c_nvml\w+_v\d(_t)?|c_nvml\w+_t", n)):
        kind = getattr(N, name)
        if not inspect.isclass(kind) or not issubclass(kind, C.Structure):
            continue
        stem = re.sub(r"_v\d|_t$", "", name[len("c_nvml"):])
        for function in ("nvmlDeviceGet" + stem, "nvmlDeviceGet" + stem.replace("Device", ""), "nvmlDeviceGet" + stem.replace("Info", "") + "V", "nvmlDeviceGet" + stem + "V", "nvmlSystemGet" + stem):
            if hasattr(lib, function):
                yield function, kind


def texts(handle):
    for name in ("Name", "UUID", "Serial", "VbiosVersion", "BoardPartNumber", "InforomImageVersion"):
        for length in (0, 1, 2, 10, 17, 18, 19, 20, 40, 41, 96):
            yield "nvmlDeviceGet" + name, (handle, C.create_string_buffer(96), C.c_uint(length))
    for name in ("nvmlSystemGetDriverVersion", "nvmlSystemGetNVMLVersion"):
        for length in (0, 3, 10, 11, 13, 14, 80):
            yield name, (C.create_string_buffer(80), C.c_uint(length))


def numbers(handle):
    out = lambda count=2: (C.c_uint * count)()
    unsigned = C.c_uint
    for clock in range(6):
        for state in list(range(17)) + [32]:
            yield "nvmlDeviceGetMinMaxClockOfPState", (handle, unsigned(clock), unsigned(state), out(1), out(1))
        for kind in range(6):
            yield "nvmlDeviceGetClock", (handle, unsigned(clock), unsigned(kind), out(1))
    for room in (0, 1, 2, 400):
        yield "nvmlDeviceGetSupportedMemoryClocks", (handle, C.byref(unsigned(room)), out(400))
        for memory in (0, 1, 1593, 2201, 2619, 3201):
            yield "nvmlDeviceGetSupportedGraphicsClocks", (handle, unsigned(memory), C.byref(unsigned(room)), out(400))
    for size in (0, 4, 8, 64):
        yield "nvmlDeviceGetSupportedPerformanceStates", (handle, out(16), unsigned(size))
    for profile in list(range(24)) + [64]:
        yield "nvmlDeviceGetGpuInstancePossiblePlacements_v2", (handle, unsigned(profile), out(64), C.byref(unsigned(32)))
        yield "nvmlDeviceGetGpuInstancePossiblePlacements_v2", (handle, unsigned(profile), None, C.byref(unsigned(0)))
        yield "nvmlDeviceGetGpuInstances", (handle, unsigned(profile), out(64), C.byref(unsigned(7)))
        yield "nvmlDeviceGetGpuInstanceProfileInfo", (handle, unsigned(profile), out(12))
        for version, size in ((1, 48), (2, 152), (3, 152), (4, 160)):
            for name in ("nvmlDeviceGetGpuInstanceProfileInfoV", "nvmlDeviceGetGpuInstanceProfileInfoByIdV"):
                memory = C.create_string_buffer(160)
                struct.pack_into("I", memory, 0, size | version << 24)
                yield name, (handle, unsigned(profile), memory)
    for clock in range(4):
        for state in (0, 2, 3, 8, 16):
            memory = C.create_string_buffer(24)
            struct.pack_into("III", memory, 0, 24 | 1 << 24, clock, state)
            yield "nvmlDeviceGetClockOffsets", (handle, memory)
    for version in (1, 2, 3):
        memory = C.create_string_buffer(40)
        struct.pack_into("I", memory, 0, 40 | version << 24)
        yield "nvmlDeviceGetMemoryInfo_v2", (handle, memory)
    for level in (0, 1, 10, 20, 30, 40, 50, 60):
        yield "nvmlDeviceGetTopologyNearestGpus", (handle, unsigned(level), C.byref(unsigned(8)), (C.c_void_p * 8)())
        yield "nvmlDeviceGetTopologyNearestGpus", (handle, unsigned(level), C.byref(unsigned(0)), None)
    for way in range(7):
        yield "nvmlDeviceGetP2PStatus", (handle, handle, unsigned(way), out(1))
    for pid in (0, 1, 999999999):
        yield "nvmlSystemGetProcessName", (unsigned(pid), C.create_string_buffer(64), unsigned(64))
    for processor in (0, 9999):
        yield "nvmlSystemGetTopologyGpuSet", (unsigned(processor), C.byref(unsigned(0)), None)
    for name in ("ComputeRunningProcesses_v3", "AccountingPids", "EncoderSessions", "FBCSessions", "ActiveVgpus", "SupportedVgpus", "CreatableVgpus"):
        for room in (0, 8):
            yield "nvmlDeviceGet" + name, (handle, C.byref(unsigned(room)), (C.c_ubyte * WIDTH)())
            yield "nvmlDeviceGet" + name, (handle, C.byref(unsigned(room)), None)
    for what in range(12):
        yield "nvmlDeviceGetSamples", (handle, unsigned(what), C.c_ulonglong(0), out(1), C.byref(unsigned(0)), None)


def finds(uuid, serial, bus):
    for text in (uuid, uuid.upper(), uuid.lower(), uuid[4:], uuid[:20], uuid + b"0", b"MIG-" + uuid[4:], b"GPU-", b"", b"nope"):
        yield "nvmlDeviceGetHandleByUUID", (text, (C.c_void_p * 1)())
    for text in (serial, serial[:5], b"0" + serial, b""):
        yield "nvmlDeviceGetHandleBySerial", (text, (C.c_void_p * 1)())
    for text in (bus, bus[4:], bus[9:], bus[:-2], bus[9:-2], bus[:-1] + b"1", b"0000:ff:1f.0", b"nope", b"", b" " + bus, bus + b"x"):
        yield "nvmlDeviceGetHandleByPciBusId_v2", (text, (C.c_void_p * 1)())
    for index in (0, 1, 99):
        yield "nvmlDeviceGetHandleByIndex_v2", (C.c_uint(index), (C.c_void_p * 1)())
    digits = bytes.fromhex(uuid[4:].decode().replace("-", ""))
    for version, form, text in ((0x1000034, 1, uuid), (0x1000034, 2, digits), (0x1000034, 0, uuid), (0x1000034, 3, uuid), (0x1000034, 1, b"nope"), (0, 1, uuid)):
        memory = C.create_string_buffer(52)
        struct.pack_into("II", memory, 0, version, form)
        memory[8:8 + len(text)] = text
        yield "nvmlDeviceGetHandleByUUIDV", (memory, (C.c_void_p * 1)())


def empty(handle, names):
    """Each function without memory, without a device, and with memory that is all zero."""
    memory = lambda: (C.c_ubyte * WIDTH)()
    for name in names:
        yield name, (handle,) + (None,) * 5
        yield name, (None,) * 6
        # What says how long other memory is must not be an address.
        if any(word in name for word in ("Affinity", "FieldValues", "PerformanceStates")):
            continue
        yield name, (None,) + tuple(memory() for _ in range(5))
        yield name, (handle,) + tuple(memory() for _ in range(5))
        yield name, (handle, None) + tuple(memory() for _ in range(4))


def field(handle, number, scope):
    memory = C.create_string_buffer(40)
    struct.pack_into("IIqqIIQ", memory, 0, number, scope, 0, 0, 0, 0, 0)
    if lib.nvmlDeviceGetFieldValues(handle, C.c_int(1), memory):
        return []
    _, _, _, _, form, code, told = struct.unpack("IIqqIIQ", memory.raw)
    return [["field", [number, scope], code, form, told]]


def main():
    global lib
    N.nvmlInit()
    lib = N.nvmlLib
    for index in range(N.nvmlDeviceGetCount()):
        handles[C.cast(N.nvmlDeviceGetHandleByIndex(index), C.c_void_p).value] = "gpu%d" % index
    handle = N.nvmlDeviceGetHandleByIndex(0)
    bytes_of = lambda text: text if isinstance(text, bytes) else text.encode()
    uuid, bus = bytes_of(N.nvmlDeviceGetUUID(handle)), bytes_of(N.nvmlDeviceGetPciInfo(handle).busId)
    other = b"GPU-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    for one, two in ((uuid, other), (uuid.lower(), other), (uuid.upper(), other.upper()), (uuid[4:], other[4:]), (uuid[:20], other[:20])):
        hidden.append((one, two))
    hidden.append(tuple(bytes.fromhex(text[4:].decode().replace("-", "")) for text in (uuid, other)))
    serial = b""
    try:
        serial = bytes_of(N.nvmlDeviceGetSerial(handle))
        hidden.extend(((serial, b"1650000000001"[:len(serial)]), (serial[:5], b"16500")))
    except N.NVMLError:
        pass
    try:
        pdi = N.c_nvmlPdi_v1_t()
        if lib.nvmlDeviceGetPdi(handle, C.byref(pdi)) == 0:
            hidden.append((struct.pack("Q", pdi.value), struct.pack("Q", 0x0123456789abcdef)))
    except AttributeError:
        pass
    trace()
    lib.nvmlErrorString.restype = C.c_char_p
    first, second = (every(handle, uuid, serial, bus) for _ in range(2))
    lines = [merged(line, second.get(key)) for key, line in first.items()]
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(line, separators=(",", ":")) for line in lines) + "\n]\n")
    print(len(lines), "calls")


def every(handle, uuid, serial, bus):
    """Each call, by what it was asked with."""
    all = []
    for function, arguments in signatures(handle):
        all += asked(function, *arguments)
    for name, kind in structures():
        all += raw(name, *((C.byref(kind()),) if name.startswith("nvmlSystem") else (handle, C.byref(kind()))))
    for name, arguments in (*texts(handle), *numbers(handle), *finds(uuid, serial, bus)):
        all += raw(name, *arguments) if hasattr(lib, name) else []
    names = sorted(name for name in vars(N) if READS.match(name) and hasattr(lib, name) and name not in LEFT_OUT)
    for name, arguments in empty(handle, names):
        all += raw(name, *arguments)
    for scope in (0, 1, 20):
        for number in range(0, 320):
            all += child(lambda: field(handle, number, scope)) or []
    all += [["words", [code], 0, lib.nvmlErrorString(code).decode()] for code in list(range(64)) + [999, 1000]]
    return {json.dumps(line[:2]): line for line in all}


def merged(line, again):
    """A line without what another moment has otherwise."""
    if again is None or again == line:
        return line
    if line[0] == "field":
        return line[:4] + [None]
    return line[:3] + [[one if one == two else None for one, two in zip(line[3], again[3])]]


if __name__ == "__main__":
    main()
