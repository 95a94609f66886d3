#!/usr/bin/env bash
# Measures impasto on a graphics card, beside the CPU and PyTorch. README.md in this folder has the
# parts, the variables and the files that are written.
#
# Usage: benches/gpu/measure.sh [PATH/TO/impasto]
#
# One part runs after the other, each with a time limit. If a part fails, the next one still runs.
# Exit status: 0 no part of impasto failed, 1 at least one did, 2 nothing could be measured.
set -uo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

device=${MEASURE_DEVICE:-gpu}
sizes=${MEASURE_SIZES:-256,512,1024,2048,4096}
python=${MEASURE_PYTHON:-python3}
total_s=${MEASURE_SECONDS:-480}
peer_s=${MEASURE_PEER_SECONDS:-190}
content=$root/examples/astronaut.jpg
style=$root/examples/starry_night.jpg
# A machine's impasto.toml must not change what is measured. The photo has 512 px.
job=(--no-config --no-checkpoint --upscale --json)
nvidia_icd=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
nvidia_lib=/usr/local/nvidia/lib64

main() {
    work=$OUT/work
    results=$OUT/results.jsonl
    failures=0
    mkdir -p "$work" || exit 2
    # The files of an earlier measurement would end up in the summary.
    rm -f "$results" "$OUT/peer.jsonl" "$OUT/summary.md"
    trap 'rm -rf "$work"' EXIT
    SECONDS=0

    echo "files: $OUT"
    describe_machine
    [[ $device == cpu ]] || prepare_vulkan
    part devices 15 "$impasto" devices --json
    part self-test 40 "$impasto" devices --self-test

    local small size first middle pictures
    small=$(sizes_between 1 2048)
    first=${sizes%%,*}
    middle=$(sizes_between 512 1024)
    pictures=${middle:-$first}
    [[ -z $small ]] || bench bench 60 "$device" --size "$small" --runs 20
    for size in $(words "$(sizes_between 2049 65536)"); do
        # A card may have too little memory for it, so it does not share a part with the others.
        bench "bench-$size" 45 "$device" --size "$size" --runs 3
    done
    for size in $(words "$pictures"); do
        bench "layers-$size" 20 "$device" --size "$size" --layers
    done

    local bits=${pictures%%,*} near=128
    ((first >= near)) || near=$first
    compare_runs "$bits"
    compare_with_cpu "$near"

    measure_peer "$small"

    for size in $(words "$pictures"); do
        paint "picture-$size" 60 "picture-$size.png" "$device" --size "$size"
    done
    # This is what PyTorch's L-BFGS does in its part: the same objective, steps and history.
    paint "paper-$bits" 40 "paper-$bits.png" "$device" --size "$bits" --objective paper \
        --steps 200 --tolerance 0
    measure_memory "${pictures##*,}"
    size=$(sizes_between 1 1024)
    [[ -z $size ]] || bench bench-cpu 45 cpu --size "$size" --runs 5
    paint "draft-cpu-$bits" 45 work/draft.png cpu --size "$bits" --preset draft

    clocks
    summarise
    ((failures == 0)) || exit 1
}

# bench NAME LIMIT DEVICE OPTIONS...: a part that times iterations.
bench() {
    part "$1" "$2" "$impasto" bench --device "$3" --json "${@:4}"
}

# paint NAME LIMIT FILE DEVICE OPTIONS...: a part that makes a picture in the folder OUT.
paint() {
    part "$1" "$2" "$impasto" "$content" "$style" -o "$OUT/$3" --device "$4" "${job[@]}" "${@:5}"
}

# part NAME LIMIT COMMAND...: runs COMMAND for at most LIMIT seconds, or those that are left of the
# total. Prints its output, keeps the JSON objects in it, and records how the part ended.
part() {
    local name=$1 limit=$2 left=$((total_s - SECONDS)) start status seconds
    shift 2
    printf '\n== %s\n' "$name"
    if ((left < 5)); then
        end_part "$name" skipped 0 "no time is left"
        return 1
    fi
    start=${EPOCHREALTIME/./}
    timeout --kill-after=5 $((left < limit ? left : limit)) "$@" </dev/null 2>&1 |
        keep_objects "$name"
    status=${PIPESTATUS[0]}
    seconds=$(milliseconds $((${EPOCHREALTIME/./} - start)))
    if ((status == 0)); then
        end_part "$name" ok "$seconds"
    elif ((status != 124 && status != 137)); then
        end_part "$name" failed "$seconds" "exit status $status"
    elif ((left < limit)); then
        end_part "$name" skipped "$seconds" "the time ran out"
    else
        end_part "$name" failed "$seconds" "stopped after $limit s"
    fi
    return "$status"
}

# end_part NAME ok|failed|skipped SECONDS [WHY]: counts every failure as one of impasto's.
end_part() {
    [[ $2 != failed ]] || failures=$((failures + 1))
    printf -- '-- %s: %s, %s s%s\n' "$1" "$2" "$3" "${4:+ ($4)}"
    record "$1" "\"ended\":\"$2\",\"wall_s\":$3${4:+,\"why\":\"$4\"}"
}

# record NAME FIELDS: adds a JSON object to the results.
record() {
    printf '{"part":"%s",%s}\n' "$1" "$2" >>"$results"
}

# Prints standard input. Adds its JSON objects to the results, each as one line. The report of a
# run has its braces on lines of their own. Only some of its lines are printed, and no progress.
keep_objects() {
    local line object=
    while IFS= read -r line || [[ -n $line ]]; do
        case $line in
            '{') object=' ' && continue ;;
            'step '*) continue ;;
            '{"'*'}') record "$1" "${line:1:-1}" ;;
        esac
        if [[ -z $object ]]; then
            printf '%s\n' "$line"
        elif [[ $line == '}' ]]; then
            record "$1" "${object# }"
            object=
        else
            object+=${line#"${line%%[! ]*}"}
            [[ ! $line =~ ^\ \ \"(steps|stopped|seconds|total_loss)\" ]] || echo "$line"
        fi
    done
}

# sizes_between LOW HIGH: prints the sizes in this range, with commas.
sizes_between() {
    local size found=
    for size in $(words "$sizes"); do
        ((size < $1 || size > $2)) || found+=,$size
    done
    echo "${found#,}"
}

words() {
    echo "${1//,/ }"
}

# milliseconds MICROSECONDS: prints seconds with three decimals.
milliseconds() {
    printf '%d.%03d' $(($1 / 1000000)) $(($1 / 1000 % 1000))
}

describe_machine() {
    local cpu card driver memory
    cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)
    IFS='|' read -r card driver memory < <(
        smi name,driver_version,memory.total | head -n 1 | sed 's/, /|/g'
    )
    echo "$("$impasto" --version), --device $device"
    echo "CPU: ${cpu:-unknown}, $(nproc) threads, load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null)"
    echo "card: ${card:-nvidia-smi names none}${driver:+, driver $driver}${memory:+, $memory}"
    clocks
    record machine "\"device\":\"$device\",\"cpu\":\"$cpu\",\"threads\":$(nproc)"
    record machine "\"card\":\"${card:-}\",\"driver\":\"${driver:-}\""
}

# smi FIELDS: prints one line for each NVIDIA card, or nothing if there is none.
smi() {
    command -v nvidia-smi >/dev/null || return 0
    timeout 10 nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null
}

clocks() {
    local found
    found=$(smi clocks.sm,clocks.max.sm,clocks.mem,temperature.gpu,power.draw)
    [[ -z $found ]] || echo "clocks now, largest, of memory; temperature; power: $found"
}

# Makes Vulkan's loader and NVIDIA's driver known to impasto, if they are not.
prepare_vulkan() {
    if [[ -z $(find_library libvulkan.so.1) ]]; then
        echo "Vulkan's loader, libvulkan.so.1, is missing"
        if ((EUID == 0)) && command -v apt-get >/dev/null; then
            export DEBIAN_FRONTEND=noninteractive
            timeout 30 apt-get -qq update
            timeout 30 apt-get -qq install --yes --no-install-recommends libvulkan1 >/dev/null
        fi
        [[ -n $(find_library libvulkan.so.1) ]] ||
            echo "install libvulkan1, or unpack it and name its folder in LD_LIBRARY_PATH"
    fi
    finds_nvidia && return
    if [[ -f $nvidia_icd ]]; then
        use_driver "$nvidia_icd" && return
    fi
    local name library icd
    for name in libGLX_nvidia.so.0 libEGL_nvidia.so.0; do
        library=$(find_library "$name")
        [[ -n $library ]] || continue
        icd="\"library_path\":\"$library\",\"api_version\":\"1.3.0\""
        echo "{\"file_format_version\":\"1.0.0\",\"ICD\":{$icd}}" >"$work/nvidia_icd.json"
        use_driver "$work/nvidia_icd.json" && return
    done
    unset VK_DRIVER_FILES VK_ICD_FILENAMES
    echo "Vulkan finds no NVIDIA driver; other cards are measured as they are"
}

finds_nvidia() {
    timeout 15 "$impasto" devices --json 2>/dev/null | grep -qi nvidia
}

# use_driver FILE: succeeds if impasto finds an NVIDIA card with this driver file.
use_driver() {
    # Loaders before 1.3.207 know the second name only.
    export VK_DRIVER_FILES=$1 VK_ICD_FILENAMES=$1
    # The driver loads its other libraries by name.
    [[ ! -d $nvidia_lib || :${LD_LIBRARY_PATH:-}: == *:$nvidia_lib:* ]] ||
        export LD_LIBRARY_PATH=$nvidia_lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    finds_nvidia && echo "Vulkan's driver: $1"
}

# find_library NAME: prints the path of a shared library, or nothing.
find_library() {
    local folder found
    for folder in $(tr : ' ' <<<"${LD_LIBRARY_PATH:-}"); do
        [[ ! -e $folder/$1 ]] || { echo "$folder/$1" && return; }
    done
    found=$(ldconfig -p 2>/dev/null | awk -v name="$1" '$1 == name { print $NF; exit }')
    [[ -n $found ]] ||
        found=$(find /usr/lib* "$nvidia_lib" -maxdepth 3 -name "$1" 2>/dev/null | head -n 1)
    echo "$found"
}

# Paints the same picture twice. Its bits must be the same.
compare_runs() {
    local run
    for run in 1 2; do
        paint "bits-$run" 30 "work/bits-$run.png" "$device" --size "$1" --steps 20 \
            --no-recipe || return
    done
    (cd "$work" && sha256sum bits-1.png bits-2.png)
    if cmp -s "$work/bits-1.png" "$work/bits-2.png"; then
        end_part bits ok 0
    else
        end_part bits failed 0 "two runs differ"
    fi
}

# The optimiser enlarges differences of rounding with every step, so there is no limit to assert.
compare_with_cpu() {
    [[ $device != cpu ]] || return
    paint near 30 work/near.png "$device" --size "$1" --steps 20 || return
    paint near-cpu 30 work/near-cpu.png cpu --size "$1" --steps 20 || return
    timeout 20 "$python" -B "$here/summary.py" difference "$work/near.png" "$work/near-cpu.png" |
        keep_objects difference
    ((PIPESTATUS[0] == 0)) || echo "no difference: it needs Python with Pillow"
}

# PyTorch and impasto in turns. A failure of PyTorch is not one of impasto's.
measure_peer() {
    local left=$((total_s - SECONDS)) kind=cuda status why="" ended=ok start=$SECONDS
    [[ $device != cpu ]] || kind=cpu
    printf '\n== peer\n'
    if [[ -z $1 ]] || ((left < 40)); then
        end_part peer skipped 0 "no time is left, or no size up to 2048 px"
        return
    fi
    ((left > peer_s + 20)) || peer_s=$((left - 20))
    timeout --kill-after=5 $((peer_s + 20)) "$python" -B "$here/peer.py" --device "$kind" \
        --sizes "$1" --seconds "$peer_s" --impasto "$impasto" --impasto-device "$device" \
        >"$OUT/peer.jsonl"
    status=$?
    case $status in
        0) ;;
        # peer.py's own exit statuses.
        3) ended=failed why="impasto failed in its turn" ;;
        4) ended=skipped why="Python has no torch, or torch finds no card" ;;
        124 | 137) ended=skipped why="stopped after $((peer_s + 20)) s" ;;
        127) ended=skipped why="$python is missing" ;;
        *) ended=skipped why="PyTorch: exit status $status" ;;
    esac
    end_part peer "$ended" $((SECONDS - start)) "$why"
}

# The card's memory is polled beside a run whose time is not counted.
measure_memory() {
    local poll rise
    if [[ -z $(smi memory.used) ]]; then
        printf '\n== memory\n'
        end_part memory skipped 0 "no nvidia-smi"
        return
    fi
    poll_memory >"$work/memory.csv" 2>/dev/null &
    poll=$!
    sleep 2
    paint memory 40 work/memory.png "$device" --size "$1" --steps 25 --scales 1
    kill "$poll" 2>/dev/null
    wait "$poll" 2>/dev/null
    rise=$(awk -F', ' 'NF == 2 { if (!($1 in first)) first[$1] = $2
            if ($2 - first[$1] > rise) rise = $2 - first[$1] } END { print rise + 0 }' \
        "$work/memory.csv")
    echo "the card's used memory rose by $rise MiB at most"
    record memory "\"pixels\":$1,\"rise_mib\":$rise"
}

poll_memory() {
    while sleep 0.1; do
        nvidia-smi --query-gpu=index,memory.used --format=csv,noheader,nounits
    done
}

summarise() {
    printf '\n== summary\n'
    timeout 20 "$python" -B "$here/summary.py" table "$OUT" | tee "$OUT/summary.md"
    if ((PIPESTATUS[0] != 0)); then
        rm -f "$OUT/summary.md"
        echo "no summary: it needs Python; the results are in $results"
    fi
    ((failures == 0)) || echo "parts of impasto that failed: $failures"
}

if (($# > 1)) || [[ ${1:-} == -* ]]; then
    echo "usage: $0 [PATH/TO/impasto]" >&2
    exit 2
fi
impasto=${1:-$root/target/release/impasto}
if [[ ! -x $impasto ]]; then
    if (($# == 1)); then
        echo "$impasto is missing, or not a program" >&2
        exit 2
    fi
    (cd "$root" && cargo build --release) || exit 2
fi
impasto=$(cd "$(dirname "$impasto")" && pwd)/$(basename "$impasto")
if [[ ! $sizes =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]]; then
    echo "MEASURE_SIZES is $sizes; give sides in px, such as 512,1024" >&2
    exit 2
fi
if [[ -n ${OUT:-} ]]; then
    mkdir -p "$OUT" || exit 2
else
    OUT=$(mktemp -d /tmp/impasto-gpu.XXXXXX) || exit 2
fi
OUT=$(cd "$OUT" && pwd)
main 2>&1 | tee "$OUT/log.txt"
exit "${PIPESTATUS[0]}"
