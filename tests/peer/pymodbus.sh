#!/usr/bin/env bash
# sunmill reads an independent Modbus server (pymodbus): every register of some profiles, over TCP and over RTU on a pair of
# pseudo-terminals, word by word; then what it makes of known words, and that a scan finds the device.
#
# Needs socat, jq (Debian) and a Python with pymodbus and pyserial. Usage: tests/peer/pymodbus.sh [PATH-OF-SUNMILL [PYTHON]]
set -euo pipefail
cd "$(dirname "$0")/../.."

sunmill=${1:-target/debug/sunmill}
python=${2:-python3}
for tool in socat jq "$python" "$sunmill"; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 2; }
done
"$python" -c 'import pymodbus, serial' || { echo "pymodbus or pyserial is missing" >&2; exit 2; }

root=$(mktemp -d)
folder=$root
pids=()
stop() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    pids=()
}
trap 'rm -rf "$root"' EXIT

failed() {
    echo "FAILED: $*" >&2
    cat "$folder"/*.err >&2 || true
    exit 1
}

# Runs a part of this in a folder of its own, with ports of its own: each mostly waits, and they can all do so at once.
part() { # number command…
    folder=$root/$1
    mkdir "$folder"
    export HOME=$folder XDG_RUNTIME_DIR=$folder
    port=$((20000 + ($$ % 2000) * 8 + $1 * 2))
    trap stop EXIT
    shift
    "$@"
}

# Waits until a command says yes.
wait_for() {
    for _ in $(seq 400); do
        if "$@"; then return; fi
        sleep 0.05
    done
    failed "waited in vain: $*"
}

# The registers of a profile with a content for each word: its own address, turned about; a serial number that can be one.
contents='[.registers[] | . + {content: [.addresses[] | (. * 257 + 4711) % 65536]}
    | if .role == "serial" then .content = ([range(.addresses | length)] | map(20530 + . * 257)) else . end]'

# Sets `at` to where the server is.
serve() { # registers unit transport [filled]
    : >"$folder/out"
    case $3 in
    tcp)
        at=tcp://127.0.0.1:$port
        "$python" tests/peer/pymodbus_server.py "$2" tcp "$port" "${4:-}" <"$1" >"$folder/out" 2>"$folder/server.err" &
        pids+=($!)
        port=$((port + 1))
        ;;
    rtu)
        at=$folder/ours
        socat "pty,raw,echo=0,link=$folder/ours" "pty,raw,echo=0,link=$folder/theirs" 2>"$folder/socat.err" &
        pids+=($!)
        wait_for test -e "$folder/theirs"
        "$python" tests/peer/pymodbus_server.py "$2" rtu "$folder/theirs" "${4:-}" <"$1" >"$folder/out" 2>"$folder/server.err" &
        pids+=($!)
        ;;
    esac
    wait_for grep -q ready "$folder/out"
}

# Every register of a profile, over both transports.
registers() { # profile
    local profile=$1 unit transport holes
    "$sunmill" inverter profiles show "$profile" --json >"$folder/profile.json"
    jq "$contents" "$folder/profile.json" >"$folder/registers.json"
    unit=$(jq .unit "$folder/profile.json")
    for transport in tcp rtu; do
        # Growatt wants a second between two questions: there the holes are not looked for one by one.
        holes=
        if [ "$profile" = growatt_sph ]; then holes=filled; fi
        serve "$folder/registers.json" "$unit" "$transport" "$holes"
        "$sunmill" inverter registers --at "$at" --profile "$profile" --json >"$folder/read.json" 2>"$folder/read.err" ||
            failed "$profile over $transport is not read"
        jq -e --slurpfile served "$folder/registers.json" '
            ($served[0] | map({(.id): .content}) | add) as $content
            | map(select(.quality != "unknown" or .access != "wo"))
            | (map(select(.raw != $content[.id]) | .id)) as $wrong
            | if ($wrong | length) > 0 then error("other words: \($wrong)") elif length == 0 then error("nothing") else length end
        ' "$folder/read.json" >"$folder/count" 2>"$folder/jq.err" || failed "$profile over $transport"
        echo "$profile over $transport: $(cat "$folder/count") registers, each word as served"
        stop
    done
}

# What known words mean, worked out by hand from the description of the registers.
known='{
    serial: [20549, 17746, 12338, 12336, 12337, 0, 0, 0], battery_soc: [64], grid_voltage_l1: [2312], grid_frequency: [5002],
    pv_power: [0, 23450], load_power_l1: [0, 12000], battery_power: [65535, 53536], battery_voltage: [522], battery_temp: [65531],
    mode: [3], error_bits: [0, 0], energy_day_pv: [0, 7250]
}'
words() {
    local transport code=0
    "$sunmill" inverter profiles show senergy_hybrid --json |
        jq --argjson known "$(jq -n "$known")" '[.registers[] | . + {content: ($known[.id] // (.addresses | map(0)))}]' >"$folder/registers.json"
    for transport in tcp rtu; do
        serve "$folder/registers.json" 1 "$transport"
        "$sunmill" inverter show --at "$at" --profile senergy --json >"$folder/show.json" 2>"$folder/show.err" || failed "show over $transport"
        jq -e '.serial == "PEER020001"
            and .soc_percent == 64 and .grid_v == 231.2 and .grid_hz == 50.02 and .pv_w == 2345 and .load_w == 1200
            and .battery_w == -1200 and .battery_v == 52.2 and .battery_c == -5 and .day.pv_kwh == 7.25
            and (.status | startswith("OnGrid")) and .faults == []' "$folder/show.json" >/dev/null || {
            cat "$folder/show.json" >&2
            failed "show over $transport"
        }
        "$sunmill" inverter show --at "$at" --profile senergy 2>>"$folder/show.err" | grep -q 'charging 1200 W, 64 %' || failed "the words of show"
        "$sunmill" inverter scan "$at" --units 1 --profile senergy --json 2>>"$folder/show.err" |
            jq -e '.[0].unit == 1 and .[0].profiles[0].profile == "senergy_hybrid" and .[0].profiles[0].sensible == 3' >/dev/null ||
            failed "the scan over $transport"
        echo "show and scan over $transport: as worked out by hand"
        stop
    done

    # Nobody there: a code of its own.
    "$sunmill" inverter show --at "tcp://127.0.0.1:$port" --profile senergy >/dev/null 2>"$folder/none.err" || code=$?
    [ "$code" -eq 1 ] || failed "a port without a server ended with $code"
}

jobs=()
part 0 registers senergy_hybrid & jobs+=($!)
part 1 registers deye_3p_lv & jobs+=($!)
part 2 registers growatt_sph & jobs+=($!)
part 3 words & jobs+=($!)
for job in "${jobs[@]}"; do
    wait "$job"
done
