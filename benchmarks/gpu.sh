#!/bin/bash
# All that is asked of a GPU, on a bare machine with one NVIDIA GPU and no network (docs/gpu.md): tests, figures, and
# training for the time that is left. Run again on the same machine, it resumes.
#
#   benchmarks/gpu.sh OUTPUT [--quick]      from the checkout's root; --quick shows on any machine that it runs
#
# SECONDS_IN_ALL (530), WHEELS (.whl), SITE (where they are installed: /tmp/site), WORK (what is done: build/gpu),
# PYTHON (python3), TRAINING_STEPS (3000)
set -u -o pipefail

output=$(mkdir -p "$1" && cd "$1" && pwd) || exit
quick=${2:-}
wheels=${WHEELS:-.whl}
site=${SITE:-/tmp/site}
work=${WORK:-build/gpu}
python=${PYTHON:-python3}
seconds=${SECONDS_IN_ALL:-530}
mkdir -p "$work"
exec > >(tee -a "$output/gpu.log") 2>&1

export PYTHONPATH=$PWD/src:$PWD:$site PYTHONUNBUFFERED=1 NAPARI_REVSAM2_CACHE=$work/cache
left() { echo $((seconds - SECONDS)); }
begin() { echo "== $1: at $SECONDS s, $(left) s left"; }

install() {
    [ -d "$wheels" ] && [ ! -e "$site/.whole" ] || return 0
    local options=(-q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$site")
    "$python" -m pip install "${options[@]}" "$wheels"/*.whl && touch "$site/.whole"
}

# A warning of versions that were never met before is no failure of what is tested.
tests() {
    local chosen=(-m gpu) limit=180
    [ -z "$quick" ] || { chosen=(-m "slow and not gpu" -k "bundled or thread"); limit=400; }
    timeout $limit "$python" -m pytest tests/sam2_backend/test_gpu*.py "${chosen[@]}" -W default \
        --disable-warnings -p no:cacheprovider -q --durations=5 --junitxml="$output/tests.xml"
    [ $? -le 1 ] && touch "$work/tests.done"
}

# An error that leaves the device unusable ends a process: the next one goes on after the step that failed.
figures() {
    local options=(--output "$output" --work "$work")
    [ -z "$quick" ] || options+=(--quick --device cpu)
    for _ in 1 2 3; do
        "$python" -W ignore -m benchmarks.gpu "${options[@]}" --seconds $(($(left) - 10)) && return
    done
}

training() {
    local run="$work/training" limit=$(($(left) - 40))
    local options=(--steps "${TRAINING_STEPS:-3000}" --until "${TRAINING_STEPS:-3000}" --size 192 --validate-every 500)
    options+=(--device cuda --processes 1 --workers 12 --slices 96 --minutes "$((limit / 60)).$((limit % 60 * 10 / 60))")
    [ -z "$quick" ] || { options=(--steps 1 --until 1 --size 64 --processes 1 --validation-batches 1); limit=600; }
    [ $limit -ge 30 ] || { echo "no time left for training: run this again"; return; }
    timeout --kill-after=5 $((limit + 20)) "$python" -m training.train --run-dir "$run" --begin 0.6 \
        --init src/napari_revsam2/sam2_backend/weights/revsam2_mini.safetensors "${options[@]}"
    cp "$run/curve.csv" "$output/"
    "$python" -m training.export --run-dir "$run" --output "$output/revsam2_mini.safetensors"
}

begin install
install || exit
"$python" -c 'import torch, sam2, napari_revsam2; print(torch.__version__, napari_revsam2.__file__)' || exit
begin tests
[ -e "$work/tests.done" ] && echo "done before" || tests
begin figures
figures
begin training
training
begin end
ls -l "$output"
cat "$output/figures.md"
