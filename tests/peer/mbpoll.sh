#!/usr/bin/env bash
# An independent Modbus master reads the simulated inverter: every register that can be read, of every profile that comes
# with sunmill, over RTU on a pseudo-terminal and over TCP; then it writes a setting, and what must be refused.
#
# Needs mbpoll and jq (Debian: apt-get install mbpoll jq). Usage: tests/peer/mbpoll.sh [PATH-OF-SUNMILL [PROFILE…]]
set -euo pipefail
cd "$(dirname "$0")/../.."

sunmill=${1:-target/debug/sunmill}
shift || true
for tool in mbpoll jq "$sunmill"; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 2; }
done
if [ $# -gt 0 ]; then profiles=("$@"); else
    mapfile -t profiles < <("$sunmill" inverter profiles list --json | jq -r '.[].name')
fi

folder=$(mktemp -d)
pid=
stop() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        pid=
    fi
}
trap 'stop; rm -rf "$folder"' EXIT

# Starts a simulator with the given options and waits until it says where it is.
start() {
    : >"$folder/out"
    "$sunmill" sim inverter "$@" >"$folder/out" 2>"$folder/err" </dev/null &
    pid=$!
    for _ in $(seq 200); do
        if [ -s "$folder/out" ] && grep -q 'Type help' "$folder/err"; then return; fi
        kill -0 "$pid" 2>/dev/null || { cat "$folder/err" >&2; exit 1; }
        sleep 0.05
    done
    echo "the simulator did not start" >&2
    exit 1
}

# Sets `master` to the way there, for one of the transports.
serve() { # profile transport
    case $2 in
    rtu)
        start --profile "$1" --pty "$folder/tty"
        master=(mbpoll -m rtu -b 9600 -P none "$folder/tty")
        ;;
    tcp)
        start --profile "$1" --tcp 0
        master=(mbpoll -m tcp -p "$(sed 's/.*://' "$folder/out")" 127.0.0.1)
        ;;
    esac
}

# The unit address of a service, or of the main unit.
unit_of() {
    if [ "$1" = main ]; then
        sed -n 's/.*, unit \([0-9]*\).*/\1/p' "$folder/err"
    else
        sed -n "s/.*$1 is unit \([0-9]*\).*/\1/p" "$folder/err"
    fi
}

# One request; its values, one a line. Fails where mbpoll does.
ask() { # unit function address count [value…]
    local unit=$1 kind=$2 address=$3 count=$4
    shift 4
    if [ $# -gt 0 ]; then
        "${master[@]}" "$@" -a "$unit" -t "$kind" -0 -1 -r "$address" -o 3 >"$folder/answer" 2>&1
    else
        "${master[@]}" -a "$unit" -t "$kind" -0 -1 -r "$address" -c "$count" -o 3 >"$folder/answer" 2>&1 || return
        sed -n 's/^\[[0-9]*\]:[[:space:]]*\([0-9]*\).*/\1/p' "$folder/answer"
    fi
}

failed() {
    echo "FAILED: $*" >&2
    cat "$folder/answer" >&2
    exit 1
}

# Runs of neighbouring addresses of each register: service, table, first address, length.
runs='.registers[] | select(.access != "wo") | . as $r | .addresses | sort
    | reduce .[] as $a ([]; if length > 0 and (.[-1][0] + .[-1][1] == $a) then .[-1][1] += 1 else . + [[$a, 1]] end)
    | .[] | [$r.service // "main", $r.table, .[0], .[1], $r.id] | @tsv'

for profile in "${profiles[@]}"; do
    for transport in rtu tcp; do
        serve "$profile" "$transport"
        registers=0 words=0
        while IFS=$'\t' read -r service table address count id; do
            kind=4
            if [ "$table" = input ]; then kind=3; fi
            got=$(ask "$(unit_of "$service")" "$kind" "$address" "$count" | wc -l) ||
                failed "$profile $transport: $id at $address"
            [ "$got" -eq "$count" ] || failed "$profile $transport: $id at $address: $got of $count words"
            registers=$((registers + 1)) words=$((words + count))
        done < <("$sunmill" inverter profiles show "$profile" --json | jq -r "$runs")
        [ "$registers" -gt 0 ] || failed "$profile: no registers"
        echo "$profile over $transport: $registers reads, $words words"
        stop
    done
done

# The state of charge at which discharging ends, 0 to 100 %: taken, kept, refused out of range; what is read only stays.
for transport in rtu tcp; do
    serve senergy_hybrid "$transport"
    ask 1 4 8475 1 33 || failed "write 33 at 8475 over $transport"
    [ "$(ask 1 4 8475 1)" = 33 ] || failed "33 was written at 8475 over $transport, and is not there"
    if ask 1 4 8475 1 101; then failed "101 % was taken over $transport"; fi
    grep -qi 'illegal data value' "$folder/answer" || failed "101 % was refused, but not as an illegal value"
    if ask 1 4 8192 1 50; then failed "the state of charge was written over $transport"; fi
    grep -qi 'illegal data address' "$folder/answer" || failed "8192 was refused, but not as an illegal address"
    if ask 1 4 1 1 >/dev/null; then failed "an address without a register was read over $transport"; fi
    [ "$(ask 1 4 8475 1)" = 33 ] || failed "8475 did not stay 33 over $transport"
    echo "writes over $transport: taken, kept and refused as they should be"
    stop
done
